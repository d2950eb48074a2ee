import { failure, invariant } from "../../core/errors.ts";
import type { Program } from "../../core/graph/mod.ts";
import type { Executable, HostArray } from "../../core/interfaces/backend.ts";
import { bufferBytes, type Dispatch, type DispatchList } from "./dispatch.ts";
import { isShared } from "./footprint.ts";
import { toHost, toWords } from "./hostArray.ts";
import type { WebGpuMemory } from "./memory.ts";
import type { Pipeline } from "./pipelines.ts";
import { poison } from "./poison.ts";
import type { Session } from "./session.ts";
import type { WarmUpProgress } from "./tuning/warmUp.ts";

/** What an executable has done so far; differences tell what a step costs. */
export interface ExecutableStats {
  readonly runs: number;
  readonly dispatches: number;
  readonly submits: number;
  readonly bindGroups: number;
  readonly buffers: number;
  /** Bytes of its buffers: inputs, outputs, constants, dims, and the scratch that it shares with other programs. */
  readonly bytes: number;
}

/** Dispatches with all that is needed to encode them again and again. */
interface Encoded {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: Dispatch["workgroups"];
}

/** Makes the buffers and pipelines of a program, and reports its progress. */
export async function makeExecutable(
  session: Session,
  program: Program,
  list: DispatchList,
  memory: WebGpuMemory,
  { tell, ...options }: ExecutableOptions,
): Promise<WebGpuExecutable> {
  const pipelines = await session.warmUp.pipelines(list, tell);
  const own = list.buffers.flatMap((need, index) => (need.kind === "state" ? [] : [{ need, index }]));
  const { buffers, dims } = await session.buffers.allOrNone(
    program.name,
    () => makeBuffers(session, list, program.name),
    (made) => destroyBuffers(session, list, made),
  );
  session.write(dims, list.dims);
  for (const { need, index } of own) if (need.data) session.write(buffers.get(index)!, toWords(need.data, need.dtype));
  return new WebGpuExecutable({
    session,
    program,
    list,
    memory,
    pipelines,
    buffers,
    dims,
    ...options,
  });
}

/** Buffers by the numbers of their needs, states aside, and that of all `Dims`. */
interface OwnBuffers {
  readonly buffers: ReadonlyMap<number, GPUBuffer>;
  readonly dims: GPUBuffer;
}

function makeBuffers(session: Session, { buffers: needs, dims }: DispatchList, label: string): OwnBuffers {
  const shared = [...needs.keys()].filter((index) => isShared(needs[index]));
  const taken = session.scratch.take(shared.map((index) => bufferBytes(needs[index])));
  const buffers = new Map(shared.map((index, i) => [index, taken[i]]));
  needs.forEach((need, index) => {
    if (need.kind === "state" || isShared(need)) return;
    const title = `${label}/${need.kind} ${need.name}`;
    buffers.set(index, session.buffers.create(title, bufferBytes(need), "storage"));
  });
  return {
    buffers,
    dims: session.buffers.create(`${label}/dims`, dims.byteLength, "uniform"),
  };
}

function destroyBuffers(session: Session, { buffers: needs }: DispatchList, { buffers, dims }: OwnBuffers): void {
  const shared = [...buffers].filter(([index]) => isShared(needs[index]));
  session.scratch.release(shared.map(([, buffer]) => buffer));
  for (const [index, buffer] of buffers) if (!isShared(needs[index])) session.buffers.destroy(buffer);
  session.buffers.destroy(dims);
}

/** What a program needs besides itself. */
export interface ExecutableOptions {
  /** Fill everything that a run must not read before it has written it with NaN. */
  readonly debug: boolean;
  /** Called when the executable is disposed. */
  readonly forget: () => void;
  readonly tell?: (progress: WarmUpProgress) => void;
}

interface Parts extends Omit<ExecutableOptions, "tell">, OwnBuffers {
  readonly session: Session;
  readonly program: Program;
  readonly list: DispatchList;
  readonly memory: WebGpuMemory;
  readonly pipelines: readonly Pipeline[];
}

/** A program on the device: one run is one encoder, one compute pass, one submit. */
export class WebGpuExecutable implements Executable {
  readonly program: Program;
  readonly #parts: Parts;
  #encoded: readonly Encoded[] | undefined;
  #generation = -1;
  #disposed = false;
  #runs = 0;
  #bindGroups = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.program = parts.program;
    const states = parts.list.buffers.filter(({ kind }) => kind === "state");
    // States may be allocated later; then the first run binds.
    if (states.every(({ name }) => parts.memory.has(name))) this.#bind();
  }

  /** The dispatches of a run, in order. */
  get dispatches(): readonly Dispatch[] {
    return this.#parts.list.dispatches;
  }

  get stats(): ExecutableStats {
    const { list, buffers, dims } = this.#parts;
    return {
      runs: this.#runs,
      dispatches: this.#runs * list.dispatches.length,
      submits: this.#runs,
      bindGroups: this.#bindGroups,
      buffers: buffers.size + 1,
      bytes: [...buffers.values(), dims].reduce((sum, { size }) => sum + size, 0),
    };
  }

  async run(inputs: Readonly<Record<string, HostArray>> = {}): Promise<void> {
    const { session, list, buffers, debug } = this.#parts;
    this.#check();
    const encoded = this.#bind();
    const words = this.#inputWords(inputs);
    if (debug) poison(session.device.queue, list, buffers);
    for (const [buffer, data] of words) session.write(buffer, data);
    this.#submit(encoded, 1);
    this.#runs++;
    await session.throttle();
    session.check();
  }

  /**
   * Starts runs behind each other in one submit, on whatever the inputs hold: for measuring. Inputs, outputs and states are
   * of no use afterwards.
   */
  repeat(runs: number): void {
    this.#check();
    this.#submit(this.#bind(), runs);
  }

  #submit(encoded: readonly Encoded[], runs: number): void {
    const { session } = this.#parts;
    const label = this.program.name;
    const encoder = session.device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    let current: GPUComputePipeline | undefined;
    for (let run = 0; run < runs; run++)
      for (const { pipeline, group, workgroups } of encoded) {
        if (pipeline !== current) pass.setPipeline(pipeline);
        current = pipeline;
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups);
      }
    pass.end();
    session.submit(encoder);
  }

  async read(output: string): Promise<HostArray> {
    this.#check();
    const { session, list, buffers } = this.#parts;
    const index = list.buffers.findIndex(({ kind, name }) => kind === "output" && name === output);
    invariant(index >= 0, `${this.program.name} has no output "${output}"`);
    const { elements, dtype } = list.buffers[index];
    const label = `${this.program.name}/${output}`;
    return toHost(await session.read(label, buffers.get(index)!, elements * 4), dtype);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { session, list, forget } = this.#parts;
    destroyBuffers(session, list, this.#parts);
    this.#encoded = undefined;
    forget();
  }

  #check(): void {
    if (this.#disposed) throw failure("E_DISPOSED", `Cannot run ${this.program.name}: it was disposed`);
    this.#parts.session.check();
  }

  /** Every input's data, checked before anything is written. */
  #inputWords(inputs: Readonly<Record<string, HostArray>>) {
    const { list, buffers } = this.#parts;
    return list.buffers.flatMap(({ kind, name, elements, dtype }, index) => {
      if (kind !== "input") return [];
      const given = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (given?.length !== elements)
        throw failure(
          "E_SHAPE",
          `Cannot run ${this.program.name}: input "${name}" has ${given?.length ?? "no"} elements, expected ${elements}`,
        );
      return [[buffers.get(index)!, toWords(given, dtype)] as const];
    });
  }

  /** Bind groups, made once and again only when a state has moved. */
  #bind(): readonly Encoded[] {
    const { session, list, memory, pipelines, buffers, dims } = this.#parts;
    if (this.#encoded && this.#generation === memory.generation) return this.#encoded;
    const bufferOf = (index: number): GPUBuffer => {
      const { kind, name, elements, dtype } = list.buffers[index];
      if (kind !== "state") return buffers.get(index)!;
      const state = memory.state(name);
      if (state.elements !== elements || state.dtype !== dtype)
        throw failure(
          "E_SHAPE",
          `Cannot run ${this.program.name}: state "${name}" holds ${state.elements} ${state.dtype}, expected ${elements} ${dtype}`,
        );
      return state.buffer;
    };
    const states = list.buffers.flatMap(({ kind }, index) => (kind === "state" ? [index] : []));
    for (const index of states) bufferOf(index);
    this.#encoded = list.dispatches.map((dispatch, i) => {
      const { pipeline, layout } = pipelines[i];
      const { kernel, bindings, dimsOffset, label, workgroups } = dispatch;
      const storage = bindings.map(({ buffer, offset, size }) => ({
        buffer: bufferOf(buffer),
        offset,
        size,
      }));
      const resources = kernel.dims
        ? [...storage, { buffer: dims, offset: dimsOffset, size: kernel.dims.bytes }]
        : storage;
      const entries = resources.map((resource, n) => ({
        binding: kernel.bindings[n].index,
        resource,
      }));
      return {
        pipeline,
        workgroups,
        group: session.device.createBindGroup({ label, layout, entries }),
      };
    });
    this.#bindGroups += this.#encoded.length;
    this.#generation = memory.generation;
    return this.#encoded;
  }
}
