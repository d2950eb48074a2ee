/** Networks of true size with made-up weights: how they are made, loaded and run. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { files } from "../../backends/host/files.ts";
import type { StepTime } from "../../backends/wasm/executable.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { placeholders } from "../../core/diffusion/mod.ts";
import { program } from "../../core/graph/mod.ts";
import { type DataShape, type HostArray, type Memory, NETWORK } from "../../core/interfaces/mod.ts";
import { openTensors, type TensorSource, writeSafetensors } from "../../core/io/mod.ts";
import {
  type Frozen,
  frozenScope,
  frozenSource,
  layoutOf,
  loadFrozen,
  type ParameterEntry,
  type Scope,
} from "../../core/nn/mod.ts";
import { type Shape, sizeOf, type Tensor } from "../../core/tensor/mod.ts";
import { compose } from "../../core/testing/mod.ts";
import { unet2d } from "../../plugins/networks/unet2d.ts";

/** A network at its true size, and the latents that it is run on. */
interface Sized {
  readonly options: Parameters<typeof unet2d>[0];
  readonly shape: Pick<DataShape, "sample" | "condition">;
}

const entry = (...shape: number[]) => ({ shape, dtype: "f32" as const });

export const networks: Readonly<Record<string, Sized>> = {
  sd15: { options: {}, shape: { sample: [4, 64, 64], condition: { text: entry(77, 768) } } },
  sdxl: {
    options: {
      channels: [320, 640, 1280],
      downBlocks: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
      upBlocks: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
      heads: [5, 10, 20],
      transformerLayers: [1, 2, 10],
      linearProjection: true,
      timeIdWidth: 256,
    },
    shape: { sample: [4, 128, 128], condition: { text: entry(77, 2048), pooled: entry(1280), timeIds: entry(6) } },
  },
  // For a short form, in which all kinds of blocks are.
  small: {
    options: { channels: [32, 64, 64, 64], heads: [2] },
    shape: { sample: [4, 16, 16], condition: { text: entry(7, 24) } },
  },
};

/** The network over a scope, for a batch of one. */
function applied({ options, shape }: Sized) {
  const network = compose({ ...shape, sigmaData: 1 }, unet2d(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return (scope: Scope) => network.apply(scope, x, sigma, condition);
}

/** Its parameters, kept as a file of halves has them. */
function layoutIn(sized: Sized) {
  const apply = applied(sized);
  const declare = (scope: Scope) => void apply(scope);
  return layoutOf(declare, (_, { length }) => (length > 1 ? "f16" : "f32"));
}

/** Numbers about as large as starting values are: 1 for scales of norms, else ± 0.5 to 1 over the root of the fan-in. */
function madeUp({ name, shape }: ParameterEntry, random: () => number): Uint16Array {
  const data = new Uint16Array(sizeOf(shape));
  if (/norm\d?\.weight$|norm_out\.weight$/.test(name)) return data.fill(0x3c00);
  const fanIn = Math.max(64, sizeOf(shape.slice(1)));
  const exponent = 15 - Math.ceil(Math.log2(Math.sqrt(fanIn)));
  for (let i = 0; i < data.length; i++) data[i] = (random() & 0x83ff) | (exponent << 10);
  return data;
}

/** Writes the weights, one tensor after another, in f16; resolves with the size of the file. */
export async function makeFile(network: string, path: string): Promise<number> {
  let word = 0x9e3779b9;
  // Xorshift32.
  const random = (): number => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return word;
  };
  const { entries } = layoutIn(networks[network]);
  const sources = entries.map(
    (each): TensorSource => ({
      name: each.name,
      dtype: "F16",
      shape: [...each.shape],
      read: () => madeUp(each, random),
    }),
  );
  return writeSafetensors(files, path, sources);
}

export const countParameters = (network: string): number => layoutIn(networks[network]).count;

/** Bytes that the system has had resident for this process at most. */
export const peakBytes = (): number => {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(status.match(/VmHWM:\s+(\d+) kB/)?.[1]) * 1024;
};

/** What a stretch of work took. */
export interface Took {
  readonly ms: number;
  readonly cpuMs: number;
}

export async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly result: T } & Took> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, ms: performance.now() - start, cpuMs: (user + system) / 1000 };
}

/** A file read in pieces of 64 MiB and copied to one array: the least that loading is. */
export function plainRead(path: string): number {
  const fd = openSync(path, "r");
  const all = new Uint8Array(fstatSync(fd).size);
  const piece = new Uint8Array(64 * 2 ** 20);
  let at = 0;
  for (let read = 1; read > 0; at += read) {
    read = readSync(fd, piece, 0, piece.length, at);
    all.set(piece.subarray(0, read), at);
  }
  closeSync(fd);
  return at;
}

/** A network whose weights are in a device's memory. */
export interface Loaded {
  readonly backend: WasmBackend;
  readonly memory: Memory;
  readonly sized: Sized;
  readonly apply: (scope: Scope) => Tensor;
  readonly weights: Frozen;
  readonly loading: Took;
}

/** Weights of a file on wasm, with what they and the forward pass were planned to take. */
export async function loaded(network: string, path: string, threads?: number): Promise<Loaded> {
  const backend = await WasmBackend.open({ wide: true, ...(threads && { threads }) });
  const sized = networks[network];
  const apply = applied(sized);
  const memory = backend.createMemory();
  const loading = await timed(async () => {
    const tensors = await openTensors(files, path);
    const weights = frozenSource(network, (scope) => void apply(scope), tensors, path);
    await loadFrozen(memory, weights);
    return weights;
  });
  return { backend, memory, sized, apply, weights: loading.result, loading };
}

/** What a forward pass is planned to take. */
export interface Planned {
  readonly weightBytes: number;
  readonly activationBytes: number;
}

const passOf = ({ apply, weights }: Pick<Loaded, "apply" | "weights">) =>
  program({ name: "forward", outputs: { y: apply(frozenScope(weights)) } });

/** The plan, of which nothing is allocated but the weights. */
export function planned(ready: Omit<Loaded, "loading">): Planned {
  const { planned: buffers, added } = ready.backend.footprint(passOf(ready));
  return { weightBytes: ready.memory.bytes, activationBytes: buffers + added };
}

/** What a forward pass was. */
export interface Forward {
  readonly passes: readonly Took[];
  readonly values: HostArray;
  readonly steps: readonly StepTime[];
}

/** So many forward passes on weights that are loaded. */
export async function forward(ready: Omit<Loaded, "loading">, turns: number): Promise<Forward> {
  const run = await ready.backend.compile(passOf(ready), ready.memory);
  const { sample, condition } = ready.sized.shape;
  const inputs: Record<string, Float32Array> = { x: wave([1, ...sample]), sigma: Float32Array.of(500) };
  for (const [name, { shape }] of Object.entries(condition)) inputs[name] = wave([1, ...shape]);
  const passes: Took[] = [];
  const steps = run.profile();
  for (let i = 0; i < turns; i++) passes.push(await timed(() => run.run(inputs)));
  const values = await run.read("y");
  return { passes, values, steps };
}

/** Numbers in [-1, 1]. */
const wave = (shape: Shape): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1.7 * i * (i % 5) + i));
