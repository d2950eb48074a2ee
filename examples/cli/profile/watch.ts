import { WasmExecutable } from "../../../backends/wasm/executable.ts";
import { WebGpuExecutable } from "../../../backends/webgpu/executable.ts";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import type { Program, Step } from "../../../core/graph/mod.ts";
import type { Backend, Executable, HostArray } from "../../../core/interfaces/backend.ts";
import { formatShape } from "../../../core/tensor/shape.ts";
import { timePasses } from "./passTimes.ts";

/** A compiled program whose runs are timed. */
export interface Watched {
  readonly program: Program;
  /** Of each run, to the end of the device's work. */
  wallMs: number[];
  /** Milliseconds of all runs by kind of step, once asked for. */
  kernels: Map<string, number> | undefined;
  /** Begins anew; with `kernels`, also times each kernel. */
  restart(kernels: boolean): void;
}

/** What a step is called in a profile: equal steps share a name. */
export function nameOf(step: Step): string {
  if (step.kind === "copy") return `copy [${step.elements}]`;
  if (step.kind === "elementwise")
    return `${step.nodes.map(({ op }) => op.name).join("+")} ${formatShape(step.shape)}`;
  const { op, inputs } = step.node;
  return `${op.name} ${inputs.map(({ shape }) => formatShape(shape)).join(" ")}`;
}

/** Watches every program that the backend compiles from now on. */
export function watch(backend: Backend): Watched[] {
  const all: Watched[] = [];
  const compile = backend.compile.bind(backend);
  backend.compile = async (program, memory) => {
    const executable = await compile(program, memory);
    all.push(watched(backend, executable));
    return executable;
  };
  return all;
}

function watched(backend: Backend, executable: Executable): Watched {
  const { program } = executable;
  const run = executable.run.bind(executable);
  let stepTimes: ReturnType<WasmExecutable["profile"]> | undefined;
  const self: Watched = {
    program,
    wallMs: [],
    kernels: undefined,
    restart(kernels) {
      self.wallMs = [];
      self.kernels = kernels ? new Map() : undefined;
      if (kernels && executable instanceof WasmExecutable) stepTimes = executable.profile();
    },
  };
  const names = new Set(program.plan.steps.map(nameOf));
  const add = (name: string, ms: number): void => {
    self.kernels?.set(name, (self.kernels.get(name) ?? 0) + ms);
  };

  executable.run = async (inputs: Readonly<Record<string, HostArray>> = {}) => {
    const start = performance.now();
    if (
      self.kernels &&
      backend instanceof WebGpuBackend &&
      executable instanceof WebGpuExecutable &&
      backend.traits.timestamps
    ) {
      const { dispatches } = executable;
      const { result, times } = timePasses(backend.device, dispatches.length, () => run(inputs));
      await result;
      await backend.finish();
      self.wallMs.push(performance.now() - start);
      const ms = await times.read();
      for (const [i, { step }] of dispatches.entries())
        add(nameOf(program.plan.steps[step]), ms[i] ?? 0);
      return;
    }
    await run(inputs);
    await backend.finish();
    self.wallMs.push(performance.now() - start);
    for (const time of stepTimes ?? []) {
      // The parts of a kernel have its name and one of their own.
      add(names.has(time.label) ? time.label : time.label.replace(/ \w+$/, ""), time.ms);
      time.ms = 0;
    }
  };
  return self;
}
