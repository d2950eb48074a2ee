import { failure, invariant } from "../errors.ts";
import { broadcastShapes, broadcastStrides, formatShape, type Shape, sizeOf } from "../tensor/shape.ts";
import {
  type Attrs,
  createNode,
  type DType,
  type NumericArray,
  type OpKind,
  type OpSpec,
  type Tensor,
} from "../tensor/tensor.ts";
import { argumentCheck, kindsOfDefaults } from "./call.ts";
import { bindSignature, parseSignature, type Signature } from "./signature.ts";

/** The attributes that an op's nodes have, all of them: from the last argument, which may leave some out. */
type AttrsIn<Args extends readonly unknown[]> =
  Required<Args> extends readonly [...unknown[], infer Last]
    ? Last extends TensorLike
      ? object
      : Required<Last>
    : object;

/** An op: call it with tensors (and attributes last) to append a node to the graph. */
export interface Op<Args extends readonly unknown[] = readonly never[], A extends object = AttrsIn<Args>> {
  (...args: Args): Tensor;
  readonly spec: OpSpec<A>;
  /** How it is called, as errors print it. */
  readonly usage: string;
}

// biome-ignore lint/suspicious/noExplicitAny: every op declares its own arguments, and checks them when called.
type AnyOp<A extends object> = Op<any[], Required<A>>;

/** The attributes of a node, typed by the definition of its op, which is one of `specs`. */
export function attrsOf<A extends object>(node: Tensor, ...specs: readonly OpSpec<A>[]): A {
  const expected: readonly OpSpec[] = specs;
  invariant(expected.includes(node.op), `attributes of ${node.op.name} read as another op's`);
  return node.attrs as A;
}

type Words<S> = S extends `${infer A} ${infer B}`
  ? Words<A> | Words<B>
  : S extends "" | "..." | "*" | `${number}`
    ? never
    : S;
type PlainName<S> = S extends `i32 ${infer N}` ? N : S;
type NamesIn<S> = S extends `${infer N}[${string}], ${infer Rest}`
  ? PlainName<N> | NamesIn<Rest>
  : S extends `${infer N}[${string}`
    ? PlainName<N>
    : never;
/** Names of the inputs of a signature. */
export type InputNames<S> = S extends `${infer L}-> ${string}` ? NamesIn<L> : never;
/** Names of the dimensions of a signature. */
export type DimNames<S> = S extends `${string}[${infer D}]${infer Rest}` ? Words<D> | DimNames<Rest> : never;

/** What a VJP rule sees: the inputs by name, the op's own output `y`, and the attributes. */
export type VjpInputs<S, A> = Record<InputNames<S>, Tensor> & { y: Tensor; attrs: A };

/** What `reference` sees: dimensions of the signature by name, the attributes, and the whole shapes. */
export type ReferenceContext<S, A> = Record<DimNames<S>, number> &
  A & { readonly inputShapes: readonly Shape[]; readonly outputShape: Shape };

/** Definition of an op. `S` is its signature, which types the names used in the rules. */
export interface OpDefinition<S extends string, A extends object> {
  readonly name: string;
  readonly kind?: Exclude<OpKind, "elementwise">;
  /** Checked on every call. See signature.ts for the grammar. */
  readonly signature: S;
  /** Default attributes; also fixes their types. A call with other attributes, or of other kinds, is refused. */
  readonly attrs?: A;
  /** Kinds of attributes that take less than every value of their default's type; see call.ts. */
  readonly kinds?: Partial<Record<keyof A, string>>;
  /** Another signature of the same names, chosen by the attributes (transposed operands). */
  readonly signatureFor?: (attrs: A) => string;
  /** Dimensions of the output that no input has. Called with the bound dimensions and the attributes. */
  readonly dims?: (context: Record<DimNames<S>, number> & A) => Partial<Record<DimNames<S>, number>>;
  /** Shape of an output written `[*]`. Throw `shapeFailure` for what the signature can't say. */
  readonly shape?: (shapes: Record<InputNames<S>, Shape>, attrs: A) => Shape;
  readonly dtype?: DType;
  /** Cotangents of the inputs, or why there are none. A rule may skip inputs of type i32. */
  readonly vjp:
    | ((inputs: VjpInputs<S, A>, dy: Tensor) => Partial<Record<InputNames<S>, Tensor>>)
    | "no gradient"
    | "first order only";
  /**
   * Tangent of the output from those of the inputs, where some have one. Needed only where `vjp` leads through an op that is of
   * first order only: otherwise the tangent is made from `vjp` (see graph/jvp.ts).
   */
  readonly jvp?: (inputs: VjpInputs<S, A>, tangents: Partial<Record<InputNames<S>, Tensor>>) => Tensor | undefined;
  /** The oracle: f64, slow, obvious. Leading `...` dimensions are looped over by the caller. */
  readonly reference?: (context: ReferenceContext<S, A>, ...arrays: NumericArray[]) => void;
}

/** The error of an op called with tensors that do not fit. */
export const shapeFailure = (op: string, inputs: Record<string, Shape>, why: string): Error =>
  failure("E_SHAPE", `Cannot apply ${op} to ${formatInputs(inputs)}: ${why}`);

const formatInputs = (inputs: Record<string, Shape>): string =>
  Object.entries(inputs)
    .map(([name, shape]) => `${name} ${formatShape(shape)}`)
    .join(" and ");

/**
 * Defines an op. The result is called as `op(...tensors, attrs?)`.
 * @throws ShapeError from the op when tensors do not fit its signature.
 */
export function defineOp<const S extends string, A extends object = object>(definition: OpDefinition<S, A>): AnyOp<A> {
  const { name, vjp, jvp, reference, attrs: defaults } = definition;
  const base = parseSignature(definition.signature);
  const { usage, check } = argumentCheck(name, [
    ...base.inputs.map((input) => `${input.name}: Tensor`),
    ...attributeKinds(defaults, definition.kinds),
  ]);
  const signatureOf = (attrs: A): Signature =>
    definition.signatureFor ? parseSignature(definition.signatureFor(attrs)) : base;

  const named = <T>(values: readonly T[]) => Object.fromEntries(base.inputs.map((p, i) => [p.name, values[i]]));
  const inputsOf = (node: Tensor) => ({ ...named(node.inputs), y: node, attrs: node.attrs }) as VjpInputs<S, A>;

  const spec: OpSpec = {
    name,
    kind: definition.kind ?? "kernel",
    signature: definition.signature,
    vjp:
      vjp === "no gradient"
        ? (node) => node.inputs.map(() => undefined)
        : vjp === "first order only"
          ? undefined
          : (node, dy) => {
              const rule: Record<string, Tensor | undefined> = vjp(inputsOf(node), dy);
              return base.inputs.map((p) => rule[p.name]);
            },
    ...(jvp && {
      jvp: (node: Tensor, tangents: readonly (Tensor | undefined)[]) =>
        jvp(inputsOf(node), named(tangents) as Partial<Record<InputNames<S>, Tensor>>),
    }),
    reference: reference && ((node, inputs, out) => batched(node, inputs, out)),
  };

  // Runs `reference` once per leading `...` index; without `...` that is once.
  function batched(node: Tensor, inputs: readonly NumericArray[], out: NumericArray): void {
    const signature = signatureOf(node.attrs as A);
    const shapes = node.inputs.map((input) => input.shape);
    const bound = bindSignature(name, signature, shapes);
    const context = { ...bound.dims, ...node.attrs } as ReferenceContext<S, A>;
    Object.assign(context, definition.dims?.(context), {
      inputShapes: shapes,
      outputShape: node.shape,
    });
    const coreSizes = shapes.map((shape, i) => sizeOf(shape) / sizeOf(bound.batches[i]));
    const count = sizeOf(bound.batch);
    const outSize = sizeOf(node.shape) / count;
    const offsets = bound.batches.map((batch) => broadcastStrides(batch, bound.batch));
    for (let index = 0; index < count; index++) {
      const slices = inputs.map((array, i) => {
        const start = dot(unravel(index, bound.batch), offsets[i]) * coreSizes[i];
        return array.subarray(start, start + coreSizes[i]);
      });
      reference!(context, ...slices, out.subarray(index * outSize, (index + 1) * outSize));
    }
  }

  const op = (...args: unknown[]): Tensor => {
    check(args);
    const inputs = args.slice(0, base.inputs.length) as Tensor[];
    const attrs = complete(defaults, args[base.inputs.length]);
    const signature = signatureOf(attrs);
    checkDTypes(name, base.inputs, inputs);
    const shapes = inputs.map((input) => input.shape);
    const bound = bindSignature(name, signature, shapes);
    let shape: Shape;
    if (signature.output.any) {
      shape = definition.shape!(named(shapes) as Record<InputNames<S>, Shape>, attrs);
    } else {
      const context = { ...bound.dims, ...attrs } as Record<DimNames<S>, number> & A;
      const dims = { ...bound.dims, ...definition.dims?.(context) } as Record<string, number>;
      const core = signature.output.dims.map((dim) => dims[dim] ?? Number(dim));
      if (core.some((size) => !Number.isInteger(size) || size < 0))
        throw shapeFailure(name, named(shapes), `the output would have shape ${formatShape(core)}`);
      shape = [...(signature.output.batched ? bound.batch : []), ...core];
    }
    const dtype = definition.dtype ?? (inputs[0]?.dtype as DType) ?? "f32";
    return createNode({ op: spec, inputs, attrs: attrs as Attrs, shape, dtype });
  };
  return Object.assign(op, { spec, usage }) as AnyOp<A>;
}

/** The last parameter of an op that has attributes. */
const attributeKinds = <A extends object>(defaults?: A, kinds?: Partial<Record<keyof A, string>>) =>
  defaults ? [kindsOfDefaults(defaults, kinds)] : [];

/** The attributes of a call: those that are left out or undefined have their defaults. */
function complete<A extends object>(defaults: A | undefined, given: unknown): A {
  const attrs = { ...defaults } as A;
  for (const name in given as Partial<A> | undefined) {
    const value = (given as Partial<A>)[name];
    if (value !== undefined) attrs[name] = value;
  }
  return attrs;
}

function checkDTypes(
  name: string,
  parameters: readonly { name: string; dtype?: DType }[],
  inputs: readonly Tensor[],
): void {
  parameters.forEach(({ name: parameter, dtype }, i) => {
    if (dtype && inputs[i].dtype !== dtype)
      throw failure("E_DTYPE", `Cannot apply ${name}: ${parameter} is ${inputs[i].dtype}, expected ${dtype}`);
  });
}

/** Anything an elementwise op accepts: a number becomes a constant of the other operands' dtype. */
export type TensorLike = Tensor | number;

/** Definition of an elementwise op: inputs broadcast against each other. */
export interface ElementwiseDefinition<S extends string, A extends object> {
  readonly name: string;
  /** Input names, such as `"x"` or `"a, b"`. */
  readonly inputs: S;
  readonly attrs?: A;
  /** Result type; the inputs' common type when absent. */
  readonly dtype?: DType;
  /** One output element from one element of each input, attributes last. */
  // biome-ignore lint/suspicious/noExplicitAny: as many numbers as there are inputs, then the attributes.
  readonly scalar: (...values: any[]) => number;
  readonly vjp:
    | ((
        inputs: Record<ListNames<S>, Tensor> & { y: Tensor; attrs: A },
        dy: Tensor,
      ) => Partial<Record<ListNames<S>, TensorLike>>)
    | "no gradient";
  /** Target of a pure broadcast (`broadcastTo`); otherwise the common shape of the inputs. */
  readonly shape?: (attrs: A) => Shape;
}
type ListNames<S> = S extends `${infer A}, ${infer B}` ? A | ListNames<B> : S;

/** Makes a constant; given by sources.ts, which imports this file. */
type Lift = (value: number, dtype: DType) => Tensor;
let lift: Lift;
export const setLift = (make: Lift): void => {
  lift = make;
};

/** Defines an elementwise op, called as `op(...tensorsOrNumbers, attrs?)`. */
export function defineElementwise<const S extends string, A extends object = object>(
  definition: ElementwiseDefinition<S, A>,
): AnyOp<A> {
  const { name, scalar, vjp } = definition;
  const names = definition.inputs.split(", ");
  const arity = names.length;
  const { usage, check } = argumentCheck(name, [
    ...names.map((input) => `${input}: Tensor | number`),
    ...attributeKinds(definition.attrs),
  ]);
  const spec: OpSpec = {
    name,
    kind: "elementwise",
    signature: `${names.map((input) => `${input}[...]`).join(", ")} -> y[...]`,
    vjp:
      vjp === "no gradient"
        ? (node) => node.inputs.map(() => undefined)
        : (node, dy) => {
            const named = Object.fromEntries(names.map((n, i) => [n, node.inputs[i]]));
            const rule = vjp({ ...named, y: node, attrs: node.attrs } as never, dy);
            return names.map((n) => {
              const value = (rule as Record<string, TensorLike | undefined>)[n];
              return typeof value === "number" ? lift(value, "f32") : value;
            });
          },
    scalar: (values, attrs) => scalar(...values, attrs),
    reference(node, inputs, out) {
      const strides = node.inputs.map((input) => broadcastStrides(input.shape, node.shape));
      const values = new Array<number>(arity);
      for (let index = 0; index < out.length; index++) {
        const at = unravel(index, node.shape);
        for (let i = 0; i < arity; i++) values[i] = inputs[i][dot(at, strides[i])];
        out[index] = scalar(...values, node.attrs);
      }
    },
  };
  const op = (...args: unknown[]): Tensor => {
    check(args);
    const given = args.slice(0, arity) as TensorLike[];
    const attrs = complete(definition.attrs, args[arity]);
    const typed = given.find((value): value is Tensor => typeof value === "object");
    const inputs = given.map((value) => (typeof value === "number" ? lift(value, typed?.dtype ?? "f32") : value));
    const dtypes = new Set(inputs.map((input) => input.dtype));
    if (dtypes.size > 1 && !definition.dtype)
      throw failure(
        "E_DTYPE",
        `Cannot apply ${name} to ${inputs.map((x, i) => `${names[i]} ${x.dtype}`).join(" and ")}: expected one dtype`,
      );
    const shapes = inputs.map((input) => input.shape);
    const target = definition.shape ? [definition.shape(attrs)] : [];
    const shape = broadcastShapes(...shapes, ...target);
    if (!shape || (target[0] && formatShape(shape) !== formatShape(target[0])))
      throw shapeFailure(
        name,
        Object.fromEntries(names.map((n, i) => [n, shapes[i]])),
        target[0] ? `it does not broadcast to ${formatShape(target[0])}` : "the shapes do not broadcast",
      );
    const dtype = definition.dtype ?? inputs[0].dtype;
    return createNode({ op: spec, inputs, attrs: attrs as Attrs, shape, dtype });
  };
  return Object.assign(op, { spec, usage }) as AnyOp<A>;
}

function unravel(index: number, shape: Shape): number[] {
  const at = new Array<number>(shape.length);
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at[axis] = rest % shape[axis];
    rest = (rest - at[axis]) / shape[axis];
  }
  return at;
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
