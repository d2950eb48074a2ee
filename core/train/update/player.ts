import { failure } from "../../errors.ts";
import type { Average } from "../../interfaces/average.ts";
import type { HostArray, Memory } from "../../interfaces/backend.ts";
import type { Optimizer } from "../../interfaces/optimizer.ts";
import type { Role } from "../../interfaces/role.ts";
import type { TensorSource } from "../../io/safetensorsFile.ts";
import {
  arenaName,
  BoundParameters,
  initialise,
  type KeptIn,
  layoutOf,
  misfit,
  type ParameterLayout,
  packArenas,
  storageOf,
  unpackArenas,
} from "../../nn/parameters.ts";
import type { ParameterSource, Scope } from "../../nn/scope.ts";
import { misfits, streamParameters, type WeightSources } from "../../nn/weightSource.ts";
import { input } from "../../ops/mod.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Storage } from "../../tensor/storage.ts";
import type { StateSource, StoredState } from "../files/checkpoint.ts";
import { type LossScaling, scaleStates } from "./lossScale.ts";

/** Tensors by name, as a weights file holds them. */
export type NamedTensors = Record<string, { shape: Shape; data: Float32Array }>;

/** Which copy of a role's weights: those being trained, what samples are drawn with, or an average by its label. */
export type Copy = "weights" | "served" | `average/${string}`;

/** A running average in its place. */
export interface KeptAverage {
  readonly average: Average;
  readonly copy: Copy;
  /** Name of the scalar that says how much of it an update keeps. */
  readonly keep: string;
}

/** How a role is trained, and what its network is kept in. */
export interface PlayerTraining {
  readonly optimizer?: Optimizer;
  readonly average?: Average;
  readonly averages?: readonly Average[];
  /** f32 by default. */
  readonly storage?: Storage;
  /** None by default. */
  readonly lossScaling?: LossScaling;
  /** What weights are kept in that nothing trains or averages; f32 by default. */
  readonly keptIn?: KeptIn;
  /** A role whose served weights nothing moves: what adapters leave as it is stays there. The role's own by default. */
  readonly base?: Player<unknown>;
}

/** What adapters of a role leave as it is: served weights of another role, which has them on the device. */
export interface PlayerBase {
  readonly player: Player<unknown>;
  /** By the names that they have in the adapted role. */
  readonly parameters: ReadonlyMap<string, BaseParameter>;
}
interface BaseParameter {
  readonly shape: Shape;
  /** What the other role calls it. */
  readonly name: string;
}

/**
 * A role in a run: its network, its parameters on the device (weights, optimiser moments, running average), and how many
 * updates they have seen.
 */
export class Player<T> {
  readonly name: string;
  readonly role: Role<T>;
  readonly layout: ParameterLayout;
  readonly optimizer: Optimizer | undefined;
  /** The served one first. */
  readonly averages: readonly KeptAverage[];
  readonly lossScaling: LossScaling;
  /** Absent in a role that has all of its weights itself. */
  readonly base: PlayerBase | undefined;
  readonly #storage: Storage;
  readonly #memory: Memory;
  /** Optimiser updates done so far. */
  updates = 0;

  constructor(name: string, role: Role<T>, memory: Memory, training: PlayerTraining = {}) {
    this.name = name;
    this.role = role;
    this.#memory = memory;
    const { base, ...rest } = training;
    const moves = rest.optimizer ?? rest.average ?? rest.averages?.[0];
    const parameters = new Map<string, BaseParameter>();
    const outside: ParameterSource = (name, shape) => {
      parameters.set(name, { shape, name: inheritedBy(role, name) ?? name });
      return input(`parameter ${name}`, shape);
    };
    const declare = (scope: Scope) => role.declare(base ? scope.over(outside) : scope);
    this.layout = layoutOf(declare, moves ? undefined : rest.keptIn);
    this.base = base && parameters.size > 0 ? { player: base, parameters } : undefined;
    const trained = this.layout.count > 0;
    this.optimizer = trained ? rest.optimizer : undefined;
    const { average, averages = average ? [average] : [] } = rest;
    this.averages = trained ? inPlaces(averages) : [];
    const { storage = "f32", lossScaling = "none" } = rest;
    this.#storage = storage;
    this.lossScaling = this.optimizer ? lossScaling : "none";
    for (const { name, size, storage } of this.#states) memory.allocate(name, size, storage);
  }

  /** State names of one copy, without the arena number. */
  owner(copy: Copy): string {
    if (copy === "weights") return `${this.name}.weights`;
    if (copy !== "served") return `${this.name}.${copy}`;
    return `${this.name}.${this.average ? "average" : "weights"}`;
  }
  /** The average that samples are drawn with. */
  get average(): Average | undefined {
    return this.averages.find(({ copy }) => copy === "served")?.average;
  }
  moment(name: string): string {
    return `${this.name}.${name}`;
  }
  get #owners(): string[] {
    return [
      this.owner("weights"),
      ...this.averages.map(({ copy }) => this.owner(copy)),
      ...(this.optimizer?.moments ?? []).map((name) => this.moment(name)),
    ];
  }
  /** Names and sizes of all its states on the device. */
  get #states(): { readonly name: string; readonly size: number; readonly storage: Storage }[] {
    const flat = this.#owners.flatMap((owner) =>
      this.layout.arenas.map((size, arena) => ({
        name: arenaName(owner, arena),
        size,
        storage: storageOf(this.layout, arena),
      })),
    );
    const storage = "f32" as const;
    const numbers = scaleStates(this.name, this.lossScaling).map(([name]) => ({ name, size: 1, storage }));
    return [...flat, ...numbers];
  }

  /** The role over one copy of its weights, for a trace. */
  bind(copy: Copy): { network: T; parameters: BoundParameters } {
    const parameters = new BoundParameters(this.owner(copy), this.layout);
    const scope = parameters.scope.keptIn(this.#storage);
    return { network: this.role.bind(this.base ? scope.over(sourceOf(this.base)) : scope), parameters };
  }

  /** Whether a parameter of its own, not one that it shares, starts with the value of one of another role. */
  takesFrom({ layout }: Player<unknown>): boolean {
    const known = new Set(layout.entries.map(({ name }) => name));
    return this.layout.entries.some(({ name }) => known.has(inheritedBy(this.role, name) ?? ""));
  }

  /** Fresh weights from the seed, then those inherited from `source`; the average starts equal, moments at zero. */
  initialise(seed: number, source: NamedTensors = {}): void {
    if (this.#memory.sizesOnly) return;
    const values = unpackArenas(this.layout, initialise(this.layout, seed));
    for (const name of Object.keys(values)) {
      const inherited = inheritedBy(this.role, name);
      if (inherited !== undefined && Object.hasOwn(source, inherited)) values[name] = source[inherited];
    }
    this.load(values);
  }

  /** Takes weights from named tensors; forgets moments, average and loss scale. */
  load(tensors: NamedTensors): void {
    packArenas(this.layout, tensors).forEach((data, arena) => {
      for (const owner of this.#weightOwners) this.#memory.write(arenaName(owner, arena), data);
    });
    this.#forget();
  }

  /**
   * `load` of tensors that are read one at a time, so that the host never holds all of them.
   * @param from where they come from, for messages
   * @throws E_CHECKPOINT listing every missing, unexpected and mis-shaped name, then nothing is written; or, when others are
   * written already, where a tensor holds what is no finite number
   */
  async stream(sources: WeightSources, from: string): Promise<void> {
    await this.checkFit(sources, from);
    const what = `load the ${this.name} from ${from}`;
    if (!this.#memory.sizesOnly) await streamParameters(this.#memory, this.#weightOwners, this.layout, sources, what);
    this.#forget();
  }

  /** Refuses what `stream` would, by names and shapes: before a network is compiled for weights that are not its own. */
  async checkFit(sources: WeightSources, from: string): Promise<void> {
    const wrong = await misfits(this.layout, sources);
    if (wrong.length) throw misfit(`Cannot load the ${this.name} from ${from}`, wrong);
  }

  /** Copies of the weights, which start alike. */
  get #weightOwners(): string[] {
    return [this.owner("weights"), ...this.averages.map(({ copy }) => this.owner(copy))];
  }

  /** Begins anew with moments, loss scale and the number of updates. */
  #forget(): void {
    for (const name of this.optimizer?.moments ?? [])
      for (const [arena, size] of this.layout.arenas.entries())
        this.#memory.write(arenaName(this.moment(name), arena), new Float32Array(size));
    for (const [name, first] of scaleStates(this.name, this.lossScaling))
      this.#memory.write(name, Float32Array.of(first));
    this.updates = 0;
  }

  /** One copy of the weights by parameter name. */
  async read(copy: Copy): Promise<NamedTensors> {
    const arenas = await Promise.all(
      this.layout.arenas.map((_, arena) => this.#memory.read(arenaName(this.owner(copy), arena))),
    );
    return unpackArenas(this.layout, arenas as Float32Array[]);
  }

  /** What `read` gives, for a file: one flat tensor is in memory at a time. */
  stored(copy: Copy): readonly TensorSource[] {
    let last: { readonly arena: number; readonly values: Promise<HostArray> } | undefined;
    const arenaOf = (arena: number) => {
      if (last?.arena !== arena) last = { arena, values: this.#memory.read(arenaName(this.owner(copy), arena)) };
      return last.values;
    };
    const { entries, derived = [] } = this.layout;
    const own = [...entries].sort((a, b) => a.arena - b.arena);
    return [
      ...own.map(({ name, shape, arena, offset }) => ({
        name,
        shape,
        dtype: "F32" as const,
        read: async () => ((await arenaOf(arena)) as Float32Array).subarray(offset, offset + sizeOf(shape)),
      })),
      ...derived.map(({ name, shape, data }) => ({ name, shape, dtype: "F32" as const, read: () => data })),
    ];
  }

  /** Everything a resumed run needs, by state name. */
  async readAll(): Promise<Record<string, HostArray>> {
    const states: Record<string, HostArray> = {};
    for (const { name } of this.#states) states[name] = await this.#memory.read(name);
    return states;
  }
  /**
   * The reverse.
   * @throws CheckpointError listing every missing and mis-sized state; then nothing is written.
   */
  writeAll(states: Readonly<Record<string, HostArray>>): void {
    this.#require("E_CHECKPOINT", states, (given) => given instanceof Float32Array);
    for (const { name } of this.#states) this.#memory.write(name, states[name]);
  }

  /** What `readAll` reads, one at a time. */
  get sources(): readonly StateSource[] {
    return this.#states.map(({ name, size }) => ({ name, length: size, read: () => this.#memory.read(name) }));
  }
  /**
   * `writeAll` of states in a file, one at a time.
   * @throws E_CONFIG listing every missing and mis-sized state; then nothing is written. What reading throws leaves it half done.
   */
  async restore(states: Readonly<Record<string, StoredState>>): Promise<void> {
    this.#require("E_CONFIG", states, ({ dtype }) => dtype === "f32");
    for (const { name } of this.#states) this.#memory.write(name, await states[name].read());
  }

  #require<T extends { readonly length: number }>(
    code: "E_CHECKPOINT" | "E_CONFIG",
    states: Readonly<Record<string, T>>,
    isFloat: (given: T) => boolean,
  ): void {
    const wrong = this.#states.flatMap(({ name, size }) => {
      const given = Object.hasOwn(states, name) ? states[name] : undefined;
      if (!given) return [`missing ${name}`];
      if (given.length === size && isFloat(given)) return [];
      return [`${name} has ${given.length} elements, expected ${size} of type f32`];
    });
    if (wrong.length)
      throw failure(code, `Cannot go on training the ${this.name}: ${wrong.join("; ")}, should be as the config says`);
  }
}

/** Scalar input: the share of the old average that an update keeps. */
const AVERAGE_KEEP = "keep";

/** Served weights of a base, under the names of the role over it. */
function sourceOf({ player, parameters }: PlayerBase): ParameterSource {
  const { source } = new BoundParameters(player.owner("served"), player.layout);
  return (name, shape, init) => source(parameters.get(name)?.name ?? name, shape, init);
}

/** The average without a label is served; where all have one, the weights are. */
function inPlaces(averages: readonly Average[]): KeptAverage[] {
  const places = averages.map((average): KeptAverage => {
    const { label } = average;
    if (label === undefined) return { average, copy: "served", keep: AVERAGE_KEEP };
    return { average, copy: `average/${label}`, keep: `${AVERAGE_KEEP} ${label}` };
  });
  const twice = places.find(({ copy }, i) => places.findIndex((p) => p.copy === copy) !== i);
  if (twice)
    throw failure(
      "E_CONFIG",
      `Cannot keep two averages of the ${twice.average.role} called "${twice.average.label ?? ""}": each needs a label of its own`,
    );
  return places;
}

/** The parameter of the other role whose value a role's parameter starts with (`Role.inherits`). */
export const inheritedBy = (role: Role, parameter: string): string | undefined =>
  role.inherits ? role.inherits(parameter) : parameter;
