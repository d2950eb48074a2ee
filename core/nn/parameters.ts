import { failure } from "../errors.ts";
import { ALIGNMENT } from "../graph/plan.ts";
import { input, state, view } from "../ops/mod.ts";
import { normalsFrom, philox, uniformFrom } from "../random/philox.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Initializer, type ParameterSource, Scope } from "./scope.ts";

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
  /** Parameters, gaps not counted. */
  readonly count: number;
}

/** 128 MiB, the storage binding every WebGPU device grants. */
const MAX_ARENA = (128 * 2 ** 20) / 4;

/**
 * Finds out what parameters `network` asks for, by tracing it once, and lays them out.
 * @throws ShapeError when it asks for one name with two shapes.
 */
export function layoutOf(network: (scope: Scope) => void): ParameterLayout {
  const found = new Map<string, { shape: Shape; init: Initializer }>();
  network(
    new Scope((name, shape, init) => {
      const known = found.get(name);
      if (known && !sameShape(known.shape, shape))
        throw failure(
          "E_SHAPE",
          `Cannot lay out parameter ${name}: it is ${formatShape(known.shape)} in one place and ${formatShape(shape)} in another`,
        );
      found.set(name, { shape, init });
      return input(`parameter ${name}`, shape);
    }),
  );
  const arenas: number[] = [];
  const entries = [...found].map(([name, { shape, init }]) => {
    const elements = Math.ceil(sizeOf(shape) / ALIGNMENT) * ALIGNMENT;
    if (arenas.length === 0 || arenas[arenas.length - 1] + elements > MAX_ARENA) arenas.push(0);
    const arena = arenas.length - 1;
    const offset = arenas[arena];
    arenas[arena] += elements;
    return { name, shape, init, arena, offset };
  });
  const count = entries.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { entries, arenas, count };
}

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
    this.arenas = layout.arenas.map((size, arena) => state(arenaName(owner, arena), [size]));
    this.#views = new Map(
      layout.entries.map(({ name, shape, arena, offset }) => [
        name,
        view(this.arenas[arena], { offset, shape }),
      ]),
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
  for (let block = 0; block * 4 < out.length; block++) {
    const bits = philox([block, 0, stream, 1], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]);
    const values =
      init.kind === "uniform"
        ? bits.map((word) => (2 * uniformFrom(word) - 1) * init.bound)
        : [...normalsFrom(bits[0], bits[1]), ...normalsFrom(bits[2], bits[3])].map(
            (value) => value * init.deviation,
          );
    for (let lane = 0; lane < 4 && block * 4 + lane < out.length; lane++)
      out[block * 4 + lane] = values[lane];
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}

/** Flat tensors as named tensors, for a weights file. */
export function unpackArenas(
  layout: ParameterLayout,
  arenas: readonly Float32Array[],
): Record<string, { shape: Shape; data: Float32Array }> {
  return Object.fromEntries(
    layout.entries.map(({ name, shape, arena, offset }) => [
      name,
      { shape, data: arenas[arena].slice(offset, offset + sizeOf(shape)) },
    ]),
  );
}

/**
 * Named tensors as flat tensors.
 * @throws CheckpointError listing every missing, unexpected and mis-shaped name.
 */
export function packArenas(
  layout: ParameterLayout,
  tensors: Readonly<Record<string, { shape: Shape; data: ArrayLike<number> }>>,
): Float32Array[] {
  const wrong: string[] = [];
  const arenas = layout.arenas.map((size) => new Float32Array(size));
  const expected = new Set(layout.entries.map(({ name }) => name));
  for (const name of Object.keys(tensors))
    if (!expected.has(name)) wrong.push(`unexpected ${name}`);
  for (const { name, shape, arena, offset } of layout.entries) {
    const given = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (!given) wrong.push(`missing ${name}`);
    else if (!sameShape(given.shape, shape))
      wrong.push(`${name} is ${formatShape(given.shape)}, expected ${formatShape(shape)}`);
    else arenas[arena].set(given.data, offset);
  }
  if (wrong.length) throw failure("E_CHECKPOINT", `Cannot load weights: ${wrong.join("; ")}`);
  return arenas;
}
