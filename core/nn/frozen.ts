/** Networks that no update moves: judges, feature extractors, encoders. */
import { failure } from "../errors.ts";
import { program, topologicalOrder } from "../graph/mod.ts";
import type { Backend, Executable, HostArray, Memory } from "../interfaces/backend.ts";
import { sha256 } from "../io/sha256.ts";
import { input } from "../ops/mod.ts";
import { allFinite } from "../tensor/allFinite.ts";
import { joined } from "../tensor/joined.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";
import {
  arenaName,
  BoundParameters,
  layoutOf,
  misfit,
  mismatches,
  type ParameterLayout,
  packArenas,
  type Shaped,
  storageOf,
} from "./parameters.ts";
import type { Scope } from "./scope.ts";
import {
  allocateArenas,
  asStored,
  type ReadParameter,
  readParameters,
  streamParameters,
  type WeightSources,
} from "./weightSource.ts";

/** Weights on the host, laid out as a device keeps them: states `frozen.NAME.0`, `frozen.NAME.1`, … */
export interface FrozenWeights {
  readonly name: string;
  readonly layout: ParameterLayout;
  /** Values of the flat tensors. */
  readonly arenas: readonly Float32Array[];
}

/**
 * The weights that `network` asks for, out of named tensors; other tensors are passed over.
 * @param from where the tensors come from, for the message
 * @param fix what to do about tensors of another network, where that is known
 * @throws CheckpointError listing every missing and mis-shaped name, or where a number is not finite
 */
export function frozenWeights(
  name: string,
  network: (scope: Scope) => void,
  tensors: Readonly<Record<string, { readonly shape: Shape; readonly data: ArrayLike<number> }>>,
  from: string,
  fix?: string,
): FrozenWeights {
  const layout = layoutOf(network);
  checkNeeded(`Cannot load ${name} from ${from}`, layout, tensors, fix);
  const arenas = packArenas(layout, Object.fromEntries(layout.entries.map(({ name }) => [name, tensors[name]])));
  if (!arenas.every(allFinite))
    throw failure(
      "E_CHECKPOINT",
      `Cannot load ${name} from ${from}: a tensor holds NaN or infinity, should hold numbers`,
    );
  return { name, layout, arenas };
}

/**
 * Weights in files, which never are on the host as a whole: they are read one tensor after another, each time they are put into
 * a memory, and matrices and kernels are kept in the halves that they are stored in.
 */
export interface FrozenSource {
  readonly name: string;
  readonly layout: ParameterLayout;
  /** All that the layout has, in its shapes. */
  readonly sources: WeightSources;
  /** Where they come from, for messages. */
  readonly from: string;
}

/** Weights of a frozen network, wherever they are. */
export type Frozen = FrozenWeights | FrozenSource;

/**
 * `frozenWeights` of tensors that are read when they are needed.
 * @throws CheckpointError listing every missing and mis-shaped name
 */
export function frozenSource(
  name: string,
  network: (scope: Scope) => void,
  sources: WeightSources,
  from: string,
  fix?: string,
): FrozenSource {
  const layout = layoutOf(network, asStored(sources));
  checkNeeded(`Cannot load ${name} from ${from}`, layout, sources, fix);
  return { name, layout, sources, from };
}

const loading = ({ name, from }: FrozenSource): string => `load ${name} from ${from}`;

/** The parameters of frozen weights, one after another. */
function frozenParameters(weights: Frozen): AsyncIterable<ReadParameter> | Iterable<ReadParameter> {
  const { layout } = weights;
  if ("sources" in weights) return readParameters(layout, weights.sources, loading(weights));
  return layout.entries.map((entry) => {
    const { arena, offset, shape } = entry;
    return { entry, values: weights.arenas[arena].subarray(offset, offset + sizeOf(shape)) };
  });
}

/** Those beside what is needed are no fault, but one of them may be what is missing, by another name. */
function checkNeeded(what: string, layout: ParameterLayout, tensors: Readonly<Record<string, Shaped>>, fix?: string) {
  const wrong = mismatches(layout, tensors).filter((each) => !each.startsWith("unexpected "));
  if (wrong.length) throw misfit(what, wrong, fix);
}

/** SHA-256 of the weights, of one tensor after another: the same for two files that hold the same tensors. */
export const weightsHash = (weights: Frozen): Promise<string> => hashed([], weights);

async function hashed(parts: readonly unknown[], weights: Frozen): Promise<string> {
  const digests: unknown[] = [];
  for await (const { entry, values } of frozenParameters(weights))
    digests.push([entry.name, entry.shape, storageOf(weights.layout, entry.arena), await sha256(values)]);
  return sha256(new TextEncoder().encode(JSON.stringify([...parts, digests])));
}

const ownerOf = ({ name }: Frozen): string => `frozen.${name}`;

/** The weights in a trace. The program's memory must hold them: see `storeFrozen` and `loadFrozen`. */
export const frozenScope = (weights: Frozen): Scope => new BoundParameters(ownerOf(weights), weights.layout).scope;

/**
 * Puts weights into a memory, one tensor after another, where all programs over it find them.
 * @throws E_CHECKPOINT where a tensor holds what is no finite number, or as its file does
 */
export async function loadFrozen(memory: Memory, weights: Frozen): Promise<void> {
  if ("arenas" in weights) {
    storeFrozen(memory, weights);
    return;
  }
  const owner = ownerOf(weights);
  const { layout, sources } = weights;
  allocateArenas(memory, owner, layout);
  if (!memory.sizesOnly) await streamParameters(memory, [owner], layout, sources, loading(weights));
}

/** `loadFrozen` of weights on the host, at once. */
export function storeFrozen(memory: Memory, weights: FrozenWeights): void {
  for (const [arena, values] of weights.arenas.entries()) {
    const name = arenaName(ownerOf(weights), arena);
    memory.allocate(name, values.length);
    memory.write(name, values);
  }
}

/** Named tensors with one row per sample, [N, …], row-major. */
export type Rows = Readonly<Record<string, HostArray>>;

/** What a frozen network computes, and how many rows at a time. */
export interface FrozenDefinition {
  readonly weights: Frozen;
  /** Shapes of one row. */
  readonly inputs: Readonly<Record<string, { readonly shape: Shape; readonly dtype?: DType }>>;
  /** Inputs [batch, …] → outputs [batch, …]. */
  apply(scope: Scope, inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>>;
  readonly batch: number;
}

/** Rows on their way through a network. Several streams may be open: each computes batches of its own rows. */
export interface RowStream {
  take(inputs: Rows): Promise<void>;
  /** Outputs of all rows taken, at least one. */
  end(): Promise<Rows>;
}

/**
 * A frozen network on a device, with a memory of its own.
 *
 * ```ts
 * const network = await FrozenNetwork.open(backend, { weights, inputs, apply, batch: 100 });
 * const { features } = await network.run({ x });
 * network.dispose();
 * ```
 */
export class FrozenNetwork {
  readonly #definition: FrozenDefinition;
  readonly #memory: Memory;
  readonly #run: Executable;
  readonly #outputs: Readonly<Record<string, Tensor>>;
  /** The batch that is on the device: outputs are read before another one runs, whosever it is. */
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(
    definition: FrozenDefinition,
    memory: Memory,
    run: Executable,
    outputs: Readonly<Record<string, Tensor>>,
  ) {
    this.#definition = definition;
    this.#memory = memory;
    this.#run = run;
    this.#outputs = outputs;
  }

  /** @throws KernelError when the device cannot hold the network */
  static async open(backend: Backend, definition: FrozenDefinition): Promise<FrozenNetwork> {
    const { weights, inputs, apply, batch } = definition;
    const memory = backend.createMemory();
    try {
      await loadFrozen(memory, weights);
      const traced = Object.entries(inputs).map(([name, { shape, dtype }]) => [
        name,
        input(name, [batch, ...shape], dtype),
      ]);
      const outputs = apply(frozenScope(weights), Object.fromEntries(traced));
      const run = await backend.compile(program({ name: weights.name, outputs }), memory);
      return new FrozenNetwork(definition, memory, run, outputs);
    } catch (error) {
      memory.dispose();
      throw error;
    }
  }

  /** A text that two networks share only if they have the same weights and do the same with them. */
  fingerprint(): Promise<string> {
    const nodes = topologicalOrder(Object.values(this.#outputs));
    const place = new Map(nodes.map((node, i) => [node, i]));
    const graph = nodes.map(({ op, attrs, inputs, shape }) => [
      op.name,
      attrs,
      inputs.map((each) => place.get(each)),
      shape,
    ]);
    const outputs = Object.entries(this.#outputs).map(([name, node]) => [name, place.get(node)]);
    return hashed([graph, outputs], this.#definition.weights);
  }

  /** Outputs of rows that are all there, at least one. */
  async run(inputs: Rows): Promise<Rows> {
    const stream = this.stream();
    await stream.take(inputs);
    return stream.end();
  }

  /** Takes rows in portions of any size. They are computed in full batches, however they are divided. */
  stream(): RowStream {
    const { inputs, batch } = this.#definition;
    const columns = Object.entries(inputs).map(([name, { shape, dtype }]) => {
      const width = sizeOf(shape);
      const waiting = dtype === "i32" ? new Int32Array(batch * width) : new Float32Array(batch * width);
      return { name, width, waiting };
    });
    const outputs = [...this.#run.program.outputs].map(([name, { shape }]) => ({
      name,
      width: sizeOf(shape) / batch,
      done: [] as HostArray[],
    }));
    let filled = 0;
    const runBatch = async () => {
      await this.#run.run(Object.fromEntries(columns.map(({ name, waiting }) => [name, waiting])));
      return Promise.all(outputs.map(({ name }) => this.#run.read(name)));
    };
    const compute = async () => {
      const done = this.#busy.then(runBatch);
      this.#busy = done.catch(() => undefined);
      const values = await done;
      for (const [i, { width, done }] of outputs.entries()) done.push(values[i].slice(0, filled * width));
      for (const { waiting } of columns) waiting.fill(0);
      filled = 0;
    };
    return {
      async take(rows) {
        const count = rows[columns[0].name].length / columns[0].width;
        for (let first = 0; first < count; ) {
          const end = Math.min(count, first + batch - filled);
          for (const { name, width, waiting } of columns)
            waiting.set(rows[name].subarray(first * width, end * width), filled * width);
          filled += end - first;
          first = end;
          if (filled === batch) await compute();
        }
      },
      async end() {
        if (filled > 0) await compute();
        return Object.fromEntries(outputs.map(({ name, done }) => [name, joined(done)]));
      },
    };
  }

  dispose(): void {
    this.#run.dispose();
    this.#memory.dispose();
  }
}
