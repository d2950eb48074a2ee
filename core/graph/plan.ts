import { invariant } from "../errors.ts";
import type { StateType } from "../interfaces/backend.ts";
import { attrsOf } from "../ops/op.ts";
import { pack } from "../ops/pack.ts";
import { nameOf, sources } from "../ops/sources.ts";
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
  /** How its elements are kept: scratch may be f16, states f16 or bf16. */
  readonly storage: Storage;
  readonly elements: number;
  /** Contents of a constant. */
  readonly data?: Float32Array | Int32Array;
}

/** What the memory holds for a state. */
export const stateType = ({ dtype, storage }: BufferSpec): StateType => (dtype === "i32" ? dtype : storage);

/** Where a value lives: `offset` elements into buffer number `buffer`. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

/** Copies f32 or i32 elements from one place to another. */
export interface CopyStep {
  readonly kind: "copy";
  readonly from: Place;
  readonly to: Place;
  readonly elements: number;
}

/** One step of a program, in the order of execution. */
export type Step =
  | { readonly kind: "kernel"; readonly node: Tensor }
  | ({ readonly kind: "elementwise"; readonly shape: Shape } & Readonly<Unit>)
  | CopyStep;

export type ElementwiseStep = Extract<Step, { kind: "elementwise" }>;

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
 * a state is written in place when nothing reads the old one any more; the parts of a `pack` are written into it by
 * their own kernels.
 */
export function planMemory(
  units: readonly Unit[],
  outputs: ReadonlyMap<string, Tensor>,
  updates: ReadonlyMap<Tensor, Tensor>,
): Plan {
  const layout = new Layout(units, [...outputs.values(), ...updates.values()]);
  placeSources(layout, updates.keys());
  const stateCopies = placeNewStates(layout, updates);
  placePacks(layout);
  const outputCopies = placeOutputs(layout, outputs);
  placeScratch(layout);
  const steps = [
    ...stepsOf(layout),
    ...outputCopies.map(({ value, to }) => layout.copy(value, to)),
    ...stateWrites(layout, stateCopies),
  ];
  const { buffers, places } = layout;
  const bytes = buffers.reduce(
    (sum, spec) => sum + (spec.kind === "state" ? 0 : spec.elements * elementBytes(spec.storage)),
    0,
  );
  return { steps, buffers, places, bytes };
}

/** What the passes of `planMemory` fill in, one after another: a value that has a place keeps it. */
class Layout {
  readonly buffers: BufferSpec[] = [];
  readonly places = new Map<Tensor, Place>();
  /** Number of the unit that makes a value. */
  readonly madeAt = new Map<Tensor, number>();
  /** Every read of a computed value or source: by which unit, and as what view. The caller reads after the last unit. */
  readonly reads = new Map<Tensor, { at: number; as: Tensor }[]>();
  readonly units: readonly Unit[];

  constructor(units: readonly Unit[], results: readonly Tensor[]) {
    this.units = units;
    units.forEach((unit, at) => {
      for (const node of unit.outputs) this.madeAt.set(node, at);
      for (const input of unit.elementwise ? unit.inputs : unit.nodes[0].inputs) this.#noteRead(input, at);
    });
    for (const value of results) this.#noteRead(value, units.length);
  }
  #noteRead(as: Tensor, at: number): void {
    const { root } = rootOf(as);
    const list = this.reads.get(root);
    if (list) list.push({ at, as });
    else this.reads.set(root, [{ at, as }]);
  }

  /** A new buffer, f32 unless it says otherwise, named by its number unless it has a name. */
  add(spec: Omit<BufferSpec, "storage" | "name"> & Partial<BufferSpec>): Place {
    const name = `${this.buffers.length}`;
    return { buffer: this.buffers.push({ name, storage: "f32", ...spec }) - 1, offset: 0 };
  }
  placeOf(tensor: Tensor): Place {
    const { root, offset } = rootOf(tensor);
    const base = this.places.get(root);
    invariant(base, `${root.op.name} has no place`);
    return { buffer: base.buffer, offset: base.offset + offset };
  }
  /** The value behind a result, when a kernel makes it, has no place for it yet, and it is all of the result. */
  unplacedRoot(value: Tensor): Tensor | undefined {
    const { root, offset } = rootOf(value);
    const whole = offset === 0 && sizeOf(root.shape) === sizeOf(value.shape);
    return whole && this.madeAt.has(root) && !this.places.has(root) ? root : undefined;
  }
  copy(value: Tensor, to: Place): CopyStep {
    return { kind: "copy", from: this.placeOf(value), to, elements: sizeOf(value.shape) };
  }
}

/** A value that a copy at the end of the program brings to its place. */
interface LateCopy {
  readonly value: Tensor;
  readonly to: Place;
}

/** Inputs, states and constants: a buffer each, the same for all nodes of one name. */
function placeSources(layout: Layout, states: Iterable<Tensor>): void {
  const { buffers, places, reads } = layout;
  const named = new Map<string, Place>();
  for (const root of [...reads.keys(), ...states]) {
    if (root.op.kind !== "source" || places.has(root)) continue;
    const { dtype } = root;
    const elements = sizeOf(root.shape);
    if (root.op === sources.constant) {
      const { data, value } = attrsOf(root, sources.constant);
      const empty = () => (dtype === "f32" ? new Float32Array(elements) : new Int32Array(elements));
      const filled = data ?? empty().fill(value!);
      places.set(root, layout.add({ kind: "constant", dtype, elements, data: filled }));
      continue;
    }
    const kind = root.op === sources.state ? "state" : "input";
    const name = nameOf(root);
    const key = `${kind} ${name}`;
    const known = named.get(key);
    const { storage } = root;
    const same = !known || (buffers[known.buffer].elements === elements && buffers[known.buffer].storage === storage);
    invariant(same, `two sizes of ${key}`);
    const place = known ?? layout.add({ kind, name, dtype, storage, elements });
    named.set(key, place);
    places.set(root, place);
  }
}

/** New values of states: over the old ones where that is safe. The others are returned. */
function placeNewStates(layout: Layout, updates: ReadonlyMap<Tensor, Tensor>): LateCopy[] {
  const { units, places, reads, madeAt } = layout;
  const copies: LateCopy[] = [];
  for (const [state, value] of updates) {
    invariant(state.storage === "f32", `an update of state "${nameOf(state)}", which is kept in ${state.storage}`);
    const to = places.get(state)!;
    const root = layout.unplacedRoot(value);
    const maker = root && madeAt.get(root)!;
    const isRead = ({ at, as }: { at: number; as: Tensor }) =>
      at < maker! || (at === maker && units[at].elementwise && sizeOf(as.shape) === sizeOf(units[at].nodes[0].shape));
    const oldReads = [...reads].filter(([other]) => other.op === sources.state && nameOf(other) === nameOf(state));
    const safe =
      root?.storage === state.storage && root.op !== pack.spec && oldReads.every(([, list]) => list.every(isRead));
    if (safe) places.set(root, to);
    else copies.push({ value, to });
  }
  return copies;
}

/** Packs, and in them the parts that nothing else reads. */
function placePacks(layout: Layout): void {
  for (const { nodes } of layout.units) {
    const [node] = nodes;
    if (node.op !== pack.spec) continue;
    const { offsets, size } = attrsOf(node, pack.spec);
    const place = layout.add({ kind: "packed", dtype: node.dtype, elements: size });
    layout.places.set(node, place);
    node.inputs.forEach((part, i) => {
      const root = layout.unplacedRoot(part);
      if (root?.storage !== node.storage || root.op === pack.spec) return;
      if (layout.reads.get(root)!.length === 1) layout.places.set(root, { buffer: place.buffer, offset: offsets[i] });
    });
  }
}

/** Outputs, written by their own kernels. Those that live elsewhere are returned. */
function placeOutputs(layout: Layout, outputs: ReadonlyMap<string, Tensor>): LateCopy[] {
  const copies: LateCopy[] = [];
  for (const [name, value] of outputs) {
    const { dtype, shape } = value;
    const to = layout.add({ kind: "output", name, dtype, elements: sizeOf(shape) });
    const root = layout.unplacedRoot(value);
    if (root?.storage === "f32") layout.places.set(root, to);
    else copies.push({ value, to });
  }
  return copies;
}

/** Everything else: scratch, shared by values that do not live at the same time. */
function placeScratch(layout: Layout): void {
  const { units, places, reads } = layout;
  const lifetimes = units.flatMap((unit, from) =>
    unit.outputs
      .filter((value) => !places.has(value))
      .map((value) => {
        const read = (reads.get(value) ?? []).map(({ at }) => at);
        return { value, from, to: Math.max(from, ...read) };
      }),
  );
  for (const { tenants, ...slot } of shareSlots(lifetimes, units)) {
    const place = layout.add({ kind: "scratch", ...slot });
    for (const { value, offset } of tenants) places.set(value, { ...place, offset });
  }
}

/** The units as steps; views that they read get their places. */
function stepsOf(layout: Layout): Step[] {
  const { units, places } = layout;
  const placeViews = (values: readonly Tensor[]) => {
    for (const value of values) if (!places.has(value)) places.set(value, layout.placeOf(value));
  };
  return units.flatMap((unit): Step[] => {
    const node = unit.nodes[0];
    placeViews(unit.inputs);
    if (unit.elementwise) return [{ kind: "elementwise", shape: node.shape, ...unit }];
    if (node.op === pack.spec) return copiesIntoPack(layout, node);
    placeViews(node.inputs);
    return [{ kind: "kernel", node }];
  });
}

function copiesIntoPack(layout: Layout, node: Tensor): Step[] {
  const { offsets } = attrsOf(node, pack.spec);
  const { buffer } = layout.placeOf(node);
  return node.inputs.flatMap((part, i) => {
    const from = layout.placeOf(part);
    const there = from.buffer === buffer && from.offset === offsets[i];
    return there ? [] : [layout.copy(part, { buffer, offset: offsets[i] })];
  });
}

/** Copies of new values into their states; a value that is itself an old state is saved first. */
function stateWrites(layout: Layout, copies: readonly LateCopy[]): Step[] {
  const saved: Step[] = [];
  const written: Step[] = [];
  for (const { value, to } of copies) {
    const write = layout.copy(value, to);
    if (rootOf(value).root.op === sources.state) {
      const { dtype, name, elements } = layout.buffers[to.buffer];
      const staged = layout.add({ kind: "scratch", name: `saved ${name}`, dtype, elements });
      saved.push({ ...write, to: staged });
      written.push({ ...write, from: staged });
    } else written.push(write);
  }
  return [...saved, ...written];
}

/** Whether a place in a buffer of this storage may start a binding. */
export const isAligned = (place: Place, storage: Storage): boolean => place.offset % alignmentOf(storage) === 0;
