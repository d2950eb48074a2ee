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
  /** What each step of the plan is called; equal steps share a name. */
  readonly names: readonly string[];
  /** Kernel variants by name of the step, where the backend has several. */
  readonly variants: ReadonlyMap<string, string>;
  /** Of each run, to the end of the device's work. */
  wallMs: number[];
  /** Of each run, on the host alone until the device has all of it; none where the host is the device. */
  encodeMs: number[];
  /** Milliseconds of all runs by kind of step, once asked for. */
  kernels: Map<string, number> | undefined;
  /** Begins anew; with `kernels`, also times each kernel. */
  restart(kernels: boolean): void;
}

function nameOf(step: Step): string {
  if (step.kind === "copy") return `copy [${step.elements}]`;
  if (step.kind === "elementwise") return `${step.nodes.map(({ op }) => op.name).join("+")} ${formatShape(step.shape)}`;
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
  const names = program.plan.steps.map(nameOf);
  const self: Watched = {
    program,
    names,
    variants: variantsOf(executable, names),
    wallMs: [],
    encodeMs: [],
    kernels: undefined,
    restart(kernels) {
      [self.wallMs, self.encodeMs] = [[], []];
      self.kernels = kernels ? new Map() : undefined;
      if (kernels && executable instanceof WasmExecutable) stepTimes = executable.profile();
    },
  };
  const known = new Set(names);
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
      for (const [i, { step }] of dispatches.entries()) add(names[step], ms[i] ?? 0);
      return;
    }
    await run(inputs);
    // Nothing was under way before, so it had not to wait for the device.
    if (executable instanceof WebGpuExecutable) self.encodeMs.push(performance.now() - start);
    await backend.finish();
    self.wallMs.push(performance.now() - start);
    for (const time of stepTimes ?? []) {
      // The parts of a kernel have its name and one of their own.
      add(known.has(time.label) ? time.label : time.label.replace(/ \w+$/, ""), time.ms);
      time.ms = 0;
    }
  };
  return self;
}

/** The variant of each kernel step. The plan's own steps have none. */
function variantsOf(executable: Executable, names: readonly string[]): Map<string, string> {
  if (!(executable instanceof WebGpuExecutable)) return new Map();
  const variants = new Map<string, string>();
  for (const { op, step, variant } of executable.dispatches) {
    if (op === "elementwise" || op === "copy") continue;
    const others = variants.get(names[step])?.split("|") ?? [];
    // Steps of one name can differ in what the name does not say.
    variants.set(names[step], [...new Set([...others, variant])].join("|"));
  }
  return variants;
}
