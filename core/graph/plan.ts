import { invariant } from "../errors.ts";
import { pack } from "../ops/pack.ts";
import { sources } from "../ops/sources.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { elementBytes, type Storage } from "../tensor/storage.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";
import { alignmentOf } from "./alignment.ts";
import type { Unit } from "./fuse.ts";
import { shareSlots } from "./slots.ts";
import { rootOf } from "./views.ts";

/** What a buffer is for, which decides who fills it and how long it lives. */
export type BufferKind = "input" | "state" | "constant" | "scratch" | "packed" | "output";

/** A buffer that a program needs. States belong to the memory; all others to the compiled program. */
export interface BufferSpec {
  readonly kind: BufferKind;
  /** Of the input, state or output; a number for the rest. */
  readonly name: string;
  readonly dtype: DType;
  /** How its elements are kept: only scratch is ever f16. */
  readonly storage: Storage;
  readonly elements: number;
  /** Contents of a constant. */
  readonly data?: Float32Array | Int32Array;
}

/** Where a value lives: `offset` elements into buffer number `buffer`. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

/** One step of a program, in the order of execution. */
export type Step =
  | { readonly kind: "kernel"; readonly node: Tensor }
  | ({ readonly kind: "elementwise"; readonly shape: Shape } & Readonly<Unit>)
  | { readonly kind: "copy"; readonly from: Place; readonly to: Place; readonly elements: number };

export type ElementwiseStep = Extract<Step, { kind: "elementwise" }>;

/** Adds a buffer, f32 unless it says otherwise. */
type NewBuffer = (spec: Omit<BufferSpec, "storage"> & Partial<BufferSpec>) => Place;

export interface Plan {
  readonly steps: readonly Step[];
  readonly buffers: readonly BufferSpec[];
  /** Where each value that a step reads or writes lives (views included). */
  readonly places: ReadonlyMap<Tensor, Place>;
  /** Bytes of all buffers but the states. */
  readonly bytes: number;
}

/**
 * Assigns every value a place. Scratch buffers are shared by values that do not live at the same time; a new value of
 * a state is written in place when nobody reads the old one any more; the parts of a `pack` are written into it by
 * their own kernels.
 */
export function planMemory(
  units: readonly Unit[],
  outputs: ReadonlyMap<string, Tensor>,
  updates: ReadonlyMap<Tensor, Tensor>,
): Plan {
  const end = units.length;
  const buffers: BufferSpec[] = [];
  const places = new Map<Tensor, Place>();
  const newBuffer: NewBuffer = (spec) => ({
    buffer: buffers.push({ storage: "f32", ...spec }) - 1,
    offset: 0,
  });

  const madeAt = new Map<Tensor, number>();
  units.forEach((unit, index) => {
    for (const node of unit.outputs) madeAt.set(node, index);
  });

  // Every read of a computed value or source: by which unit, and as what view.
  const reads = new Map<Tensor, { at: number; as: Tensor }[]>();
  const noteRead = (as: Tensor, at: number): void => {
    const { root } = rootOf(as);
    const list = reads.get(root);
    if (list) list.push({ at, as });
    else reads.set(root, [{ at, as }]);
  };
  units.forEach((unit, index) => {
    for (const input of unit.elementwise ? unit.inputs : unit.nodes[0].inputs)
      noteRead(input, index);
  });
  for (const value of outputs.values()) noteRead(value, end);
  for (const value of updates.values()) noteRead(value, end);

  // Sources.
  const namedBuffers = new Map<string, Place>();
  for (const [root] of [...reads, ...[...updates.keys()].map((node) => [node] as const)]) {
    if (root.op.kind !== "source" || places.has(root)) continue;
    const elements = sizeOf(root.shape);
    const { name, data, value } = root.attrs as {
      name?: string;
      data?: Float32Array;
      value?: number;
    };
    if (root.op === sources.constant) {
      const filled =
        data ??
        (root.dtype === "f32" ? new Float32Array(elements) : new Int32Array(elements)).fill(value!);
      places.set(
        root,
        newBuffer({
          kind: "constant",
          name: `${buffers.length}`,
          dtype: root.dtype,
          elements,
          data: filled,
        }),
      );
    } else {
      const kind = root.op === sources.state ? "state" : "input";
      const key = `${kind} ${name}`;
      const known = namedBuffers.get(key);
      invariant(!known || buffers[known.buffer].elements === elements, `two sizes of ${key}`);
      const place = known ?? newBuffer({ kind, name: name!, dtype: root.dtype, elements });
      namedBuffers.set(key, place);
      places.set(root, place);
    }
  }
  const oldReadsOf = (state: Tensor) =>
    [...reads]
      .filter(([root]) => root.op === state.op && root.attrs.name === state.attrs.name)
      .flatMap(([, list]) => list);

  // New values of states, in place where safe.
  const finalCopies: Step[] = [];
  const stateCopies: { state: Tensor; value: Tensor }[] = [];
  for (const [state, value] of updates) {
    const { root, offset } = rootOf(value);
    const maker = madeAt.get(root);
    const whole = offset === 0 && sizeOf(root.shape) === sizeOf(state.shape);
    const safe =
      maker !== undefined &&
      whole &&
      !places.has(root) &&
      root.storage === state.storage &&
      root.op !== pack.spec &&
      oldReadsOf(state).every(
        ({ at, as }) =>
          at < maker ||
          (at === maker &&
            units[maker].elementwise &&
            sizeOf(as.shape) === sizeOf(units[maker].nodes[0].shape)),
      );
    if (safe) places.set(root, places.get(state)!);
    else stateCopies.push({ state, value });
  }

  // Parts of packs.
  for (const unit of units) {
    const node = unit.nodes[0];
    if (node.op !== pack.spec) continue;
    const elements = node.attrs.size as number;
    const place = newBuffer({
      kind: "packed",
      name: `${buffers.length}`,
      dtype: node.dtype,
      elements,
    });
    places.set(node, place);
    const offsets = node.attrs.offsets as readonly number[];
    node.inputs.forEach((part, i) => {
      const { root, offset } = rootOf(part);
      const own =
        madeAt.has(root) &&
        !places.has(root) &&
        root.storage === node.storage &&
        offset === 0 &&
        reads.get(root)!.length === 1;
      if (own && sizeOf(root.shape) === sizeOf(part.shape) && root.op !== pack.spec)
        places.set(root, { buffer: place.buffer, offset: offsets[i] });
    });
  }

  // Outputs: written by their own kernel unless they already live elsewhere.
  for (const [name, value] of outputs) {
    const { root, offset } = rootOf(value);
    const elements = sizeOf(value.shape);
    const place = newBuffer({ kind: "output", name, dtype: value.dtype, elements });
    const whole = offset === 0 && sizeOf(root.shape) === elements;
    if (madeAt.has(root) && !places.has(root) && root.storage === "f32" && whole)
      places.set(root, place);
    else
      finalCopies.push({
        kind: "copy",
        from: undefined as never,
        to: place,
        elements,
        value,
      } as never);
  }

  // Everything else: scratch, by liveness.
  const lastRead = (root: Tensor): number =>
    Math.max(-1, ...(reads.get(root) ?? []).map(({ at }) => at));
  const lifetimes = units.flatMap((unit, from) =>
    unit.outputs
      .filter((value) => !places.has(value))
      .map((value) => ({ value, from, to: Math.max(from, lastRead(value)) })),
  );
  for (const { tenants, ...slot } of shareSlots(lifetimes, units)) {
    const place = newBuffer({ kind: "scratch", name: `${buffers.length}`, ...slot });
    for (const { value, offset } of tenants) places.set(value, { ...place, offset });
  }

  const placeOf = (tensor: Tensor): Place => {
    const { root, offset } = rootOf(tensor);
    const base = places.get(root);
    invariant(base, `${root.op.name} has no place`);
    return { buffer: base.buffer, offset: base.offset + offset };
  };

  const steps: Step[] = [];
  for (const unit of units) {
    for (const input of unit.inputs) if (!places.has(input)) places.set(input, placeOf(input));
    const node = unit.nodes[0];
    if (unit.elementwise) steps.push({ kind: "elementwise", shape: node.shape, ...unit });
    else if (node.op === pack.spec) steps.push(...copiesIntoPack(node, placeOf));
    else {
      for (const input of node.inputs) if (!places.has(input)) places.set(input, placeOf(input));
      steps.push({ kind: "kernel", node });
    }
  }
  for (const copy of finalCopies) {
    const { value, ...step } = copy as Step & { value: Tensor };
    steps.push({ ...step, from: placeOf(value) } as Step);
  }
  steps.push(...stateWrites(stateCopies, places, placeOf, newBuffer));

  const bytes = buffers.reduce(
    (sum, spec) => sum + (spec.kind === "state" ? 0 : spec.elements * elementBytes(spec.storage)),
    0,
  );
  return { steps, buffers, places, bytes };
}

function copiesIntoPack(node: Tensor, placeOf: (tensor: Tensor) => Place): Step[] {
  const offsets = node.attrs.offsets as readonly number[];
  const { buffer } = placeOf(node);
  return node.inputs.flatMap((part, i) => {
    const from = placeOf(part);
    const to = { buffer, offset: offsets[i] };
    const there = from.buffer === buffer && from.offset === to.offset;
    return there ? [] : [{ kind: "copy" as const, from, to, elements: sizeOf(part.shape) }];
  });
}

/** Copies of new values into their states; a value that is itself an old state is saved first. */
function stateWrites(
  copies: readonly { state: Tensor; value: Tensor }[],
  places: ReadonlyMap<Tensor, Place>,
  placeOf: (tensor: Tensor) => Place,
  newBuffer: NewBuffer,
): Step[] {
  const saved: Step[] = [];
  const written: Step[] = [];
  for (const { state, value } of copies) {
    const elements = sizeOf(state.shape);
    let from = placeOf(value);
    if (rootOf(value).root.op === sources.state) {
      const staged = newBuffer({
        kind: "scratch",
        name: `saved ${state.attrs.name}`,
        dtype: state.dtype,
        elements,
      });
      saved.push({ kind: "copy", from, to: staged, elements });
      from = staged;
    }
    written.push({ kind: "copy", from, to: places.get(state)!, elements });
  }
  return [...saved, ...written];
}

/** Whether a place in a buffer of this storage may start a binding. */
export const isAligned = (place: Place, storage: Storage): boolean =>
  place.offset % alignmentOf(storage) === 0;
