import { failure, type OnestepError, suggestion } from "../errors.ts";
import { alignmentOf } from "../graph/alignment.ts";
import { input, state, view } from "../ops/mod.ts";
import { fillFrom, keyWords } from "../random/philox.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type DerivedTensor, type Initializer, type ParameterSource, Scope } from "./scope.ts";

/** A parameter and its place: `offset` elements into flat tensor number `arena`. */
export interface ParameterEntry {
  readonly name: string;
  readonly shape: Shape;
  readonly init: Initializer;
  readonly arena: number;
  readonly offset: number;
}

/** All parameters of a network, laid out in as few flat tensors as fit a binding. */
export interface ParameterLayout {
  readonly entries: readonly ParameterEntry[];
  /** Elements of each flat tensor. */
  readonly arenas: readonly number[];
  /** What each flat tensor is kept in; all in f32 where absent. */
  readonly storages?: readonly Storage[];
  /** Parameters, gaps and frozen ones not counted. */
  readonly count: number;
  /** What official state dicts hold besides, where there is any. */
  readonly derived?: readonly DerivedTensor[];
}

/** What a network's parameters are kept in, by name and shape. */
export type KeptIn = (name: string, shape: Shape) => Storage;

/** 128 MiB in f32, the storage binding every WebGPU device grants. */
const MAX_ARENA = (128 * 2 ** 20) / 4;

/** Limits of a network, far above any that a machine can train: what exceeds them is a slip in an option. */
const MOST = { parameters: 100_000, elements: 2 ** 40 };

/**
 * Finds out what parameters `network` asks for, by tracing it once, and lays them out.
 * @param keptIn f32 for all where absent. Parameters in halves are read only: no update moves them.
 * @throws ShapeError when it asks for one name with two shapes; E_OPTION, at once, when it asks for more than any machine has
 */
export function layoutOf(network: (scope: Scope) => void, keptIn: KeptIn = () => "f32"): ParameterLayout {
  const found = new Map<string, { shape: Shape; init: Initializer }>();
  const derived = new Map<string, DerivedTensor>();
  let elements = 0;
  const record: ParameterSource = (name, shape, init) => {
    const known = found.get(name);
    if (known && !sameShape(known.shape, shape))
      throw failure(
        "E_SHAPE",
        `Cannot lay out parameter ${name}: it is ${formatShape(known.shape)} in one place and ${formatShape(shape)} in another`,
      );
    if (!known) elements += sizeOf(shape);
    found.set(name, { shape, init });
    if (found.size > MOST.parameters || elements > MOST.elements)
      throw failure(
        "E_OPTION",
        `Cannot lay out a network: at ${name} ${formatShape(shape)} it has ${found.size} parameters of ${elements.toExponential(1)} elements, should have at most ${MOST.parameters} of ${MOST.elements.toExponential(1)}`,
        { fix: "choose smaller options of the network, such as its depth and width" },
      );
    return input(`parameter ${name}`, shape);
  };
  network(new Scope(record, "", { derive: (tensor) => derived.set(tensor.name, tensor) }));
  const arenas: number[] = [];
  const storages: Storage[] = [];
  // Frozen parameters have flat tensors of their own: an update rule sees whole ones.
  const open = new Map<string, number>();
  const entries = [...found].map(([name, { shape, init }]) => {
    const storage = keptIn(name, shape);
    const alignment = alignmentOf(storage);
    const elements = Math.ceil(sizeOf(shape) / alignment) * alignment;
    const kind = `${init.frozen ? "frozen" : "trained"} ${storage}`;
    let arena = open.get(kind);
    if (arena === undefined || arenas[arena] + elements > MAX_ARENA) {
      arena = arenas.push(0) - 1;
      storages.push(storage);
    }
    open.set(kind, arena);
    const offset = arenas[arena];
    arenas[arena] += elements;
    return { name, shape, init, arena, offset };
  });
  const count = entries.reduce((sum, { shape, init }) => sum + (init.frozen ? 0 : sizeOf(shape)), 0);
  return {
    entries,
    arenas,
    ...(storages.some((storage) => storage !== "f32") && { storages }),
    count,
    ...(derived.size > 0 && { derived: [...derived.values()] }),
  };
}

/** Whether a flat tensor holds frozen parameters, so that no update moves it. */
export const isFrozen = ({ entries }: ParameterLayout, arena: number): boolean =>
  entries.some((entry) => entry.arena === arena && entry.init.frozen === true);

/** What a flat tensor is kept in. */
export const storageOf = ({ storages }: ParameterLayout, arena: number): Storage => storages?.[arena] ?? "f32";

/** Name of the state that holds one flat tensor of a role's weights, moments or average. */
export const arenaName = (owner: string, arena: number): string => `${owner}.${arena}`;

/** The parameters of `owner` (such as "generator.weights") as tensors in a trace. */
export class BoundParameters {
  readonly layout: ParameterLayout;
  /** The flat tensors. */
  readonly arenas: readonly Tensor[];
  readonly #views: Map<string, Tensor>;

  constructor(owner: string, layout: ParameterLayout) {
    this.layout = layout;
    this.arenas = layout.arenas.map((size, arena) =>
      state(arenaName(owner, arena), [size], "f32", storageOf(layout, arena)),
    );
    this.#views = new Map(
      layout.entries.map(({ name, shape, arena, offset }) => [name, view(this.arenas[arena], { offset, shape })]),
    );
  }
  /** In the order of the layout. */
  get tensors(): Tensor[] {
    return [...this.#views.values()];
  }
  get scope(): Scope {
    return new Scope(this.source);
  }
  readonly source: ParameterSource = (name, shape) => {
    const found = this.#views.get(name);
    if (!found || !sameShape(found.shape, shape))
      throw failure(
        "E_SHAPE",
        `Cannot bind parameter ${name} ${formatShape(shape)}: the layout has ${found ? formatShape(found.shape) : "no such parameter"}`,
      );
    return found;
  };
}

/**
 * Starting values of all flat tensors. Each parameter draws from its own Philox stream, keyed by its name, so that adding
 * a layer does not change the others.
 */
export function initialise(layout: ParameterLayout, seed: number): Float32Array[] {
  const arenas = layout.arenas.map((size) => new Float32Array(size));
  for (const { name, shape, init, arena, offset } of layout.entries)
    fill(arenas[arena].subarray(offset, offset + sizeOf(shape)), init, seed, hash(name));
  return arenas;
}

function fill(out: Float32Array, init: Initializer, seed: number, stream: number): void {
  if (init.kind === "constant") {
    out.fill(init.value);
    return;
  }
  const counter = [0, stream, 1] as const;
  const key = keyWords(seed);
  if (init.kind === "normal") {
    fillFrom(out, { distribution: "normal", counter, key }, { scale: init.deviation });
    return;
  }
  fillFrom(out, { distribution: "uniform", counter, key });
  for (let i = 0; i < out.length; i++) out[i] = (2 * out[i] - 1) * init.bound;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** Flat tensors as named tensors, derived ones included, for a weights file. */
export function unpackArenas(
  layout: ParameterLayout,
  arenas: readonly Float32Array[],
): Record<string, { shape: Shape; data: Float32Array }> {
  const stored = layout.entries.map(({ name, shape, arena, offset }) => [
    name,
    { shape, data: arenas[arena].slice(offset, offset + sizeOf(shape)) },
  ]);
  const derived = (layout.derived ?? []).map(({ name, shape, data }) => [name, { shape, data }]);
  return Object.fromEntries([...stored, ...derived]);
}

/**
 * What keeps named tensors from being the parameters of a layout: every unexpected, contradicting, missing and mis-shaped
 * name, the nearest of the other kind beside a missing or unexpected one. Derived tensors may be absent.
 */
export function mismatches(layout: ParameterLayout, tensors: Readonly<Record<string, Shaped>>): string[] {
  const expected = new Set(layout.entries.map(({ name }) => name));
  const derived = new Map(layout.derived?.map((tensor) => [tensor.name, tensor]));
  const given = Object.keys(tensors).filter((name) => !derived.has(name));
  const unexpected = given.filter((name) => !expected.has(name));
  const missing = [...expected].filter((name) => !Object.hasOwn(tensors, name));
  const near = (name: string, others: readonly string[]) =>
    missing.length * unexpected.length <= MOST_PAIRS ? suggestion(name, others) : "";
  return [
    ...unexpected.map((name) => `unexpected ${name}${near(name, missing)}`),
    ...[...derived.values()].flatMap((known) => {
      const found = Object.hasOwn(tensors, known.name) ? tensors[known.name] : known;
      return !hasValues(found) || agrees(found, known)
        ? []
        : [`${known.name} ${brief(found)} is not that of the options, ${brief(known)}`];
    }),
    ...layout.entries.flatMap(({ name, shape }) => {
      if (!Object.hasOwn(tensors, name)) return [`missing ${name}${near(name, unexpected)}`];
      if (sameShape(tensors[name].shape, shape)) return [];
      return [`${name} is ${formatShape(tensors[name].shape)}, expected ${formatShape(shape)}`];
    }),
  ];
}

/** Names of each sort that a message shows. */
const SHOWN = 4;

/** What `mismatches` has found as one line: all of a few, else counts and the first names of each sort. */
export function mismatchText(wrong: readonly string[]): string {
  if (wrong.length <= 2 * SHOWN) return wrong.join("; ");
  const sortOf = (each: string) => each.match(/^(unexpected|missing) /)?.[1] ?? "of another shape";
  const sorts = [...new Set(wrong.map(sortOf))].map((sort) => ({
    sort,
    found: wrong.filter((each) => sortOf(each) === sort),
  }));
  const counts = sorts.map(({ sort, found }) => `${found.length} ${sort}`).join(", ");
  const first = sorts.flatMap(({ found }) => [
    ...found.slice(0, SHOWN),
    ...(found.length > SHOWN ? [`… (${found.length - SHOWN} more)`] : []),
  ]);
  return `${wrong.length} names do not fit (${counts}): ${first.join("; ")}`;
}

/** The error of weights that do not fit, found by `mismatches`; its cause lists them all. */
export const misfit = (what: string, wrong: readonly string[], fix?: string): OnestepError =>
  failure("E_CHECKPOINT", `${what}: ${mismatchText(wrong)}`, {
    cause: new Error(wrong.join("\n")),
    ...(fix && { fix }),
  });

/** Pairs of names that are compared for a suggestion; beyond it the files have little in common, and it would take long. */
const MOST_PAIRS = 20_000;

/**
 * Named tensors as flat tensors. Derived tensors may be absent; those that are there must be what the options say.
 * @throws CheckpointError listing every missing, unexpected, mis-shaped and contradicting name.
 */
export function packArenas(layout: ParameterLayout, tensors: Readonly<Record<string, Values>>): Float32Array[] {
  const wrong = mismatches(layout, tensors);
  if (wrong.length) throw misfit("Cannot load weights", wrong);
  const arenas = layout.arenas.map((size) => new Float32Array(size));
  for (const { name, arena, offset } of layout.entries) arenas[arena].set(tensors[name].data, offset);
  return arenas;
}

/** A tensor of which no more than its shape need be known. */
export interface Shaped {
  readonly shape: Shape;
}

interface Values extends Shaped {
  readonly data: ArrayLike<number>;
}

const hasValues = (tensor: Shaped): tensor is Values => "data" in tensor;

/** Half-precision files round, hence the tolerance. */
const agrees = (given: Values, known: Values): boolean =>
  sameShape(given.shape, known.shape) &&
  Array.from(known.data).every((value, i) => Math.abs(given.data[i] - value) <= 1e-3);

const brief = ({ shape, data }: Values): string => {
  const first = Array.from({ length: Math.min(4, data.length) }, (_, i) => data[i].toPrecision(3));
  return `${formatShape(shape)} (${first.join(", ")}${data.length > 4 ? ", …" : ""})`;
};
