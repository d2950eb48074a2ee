import { failure, type OnestepError } from "../../core/errors.ts";
import { shaderStage } from "./adapter/usage.ts";
import type { KernelSource } from "./kernelSource.ts";

/** A compiled kernel. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines of a device by source and constants: drivers do not notice repetitions, and compiling is dear. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #made = new Map<string, Promise<Pipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #ids = new Map<string, number>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Pipelines compiled so far. */
  get count(): number {
    return this.#made.size;
  }

  /** @throws KernelError E_KERNEL with kernel, line and the compiler's text. */
  get(kernel: KernelSource, constants: Readonly<Record<string, number>> = {}): Promise<Pipeline> {
    const key = `${this.#idOf(kernel.code)} ${JSON.stringify(constants)}`;
    const known = this.#made.get(key);
    if (known) return known;
    const made = this.#compile(kernel, constants);
    this.#made.set(key, made);
    // The caller gets the error; nobody may be awaiting the map entry, whose unhandled rejection would end the process.
    made.catch(() => {});
    return made;
  }

  #idOf(code: string): number {
    const id = this.#ids.get(code) ?? this.#ids.size;
    this.#ids.set(code, id);
    return id;
  }

  async #compile(kernel: KernelSource, constants: Readonly<Record<string, number>>): Promise<Pipeline> {
    const device = this.#device;
    const { name: label, code } = kernel;
    // Pushed and popped without an await between: scopes are a stack that all compilations share.
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label, code });
    const scope = device.popErrorScope();
    const { messages } = await module.getCompilationInfo();
    const fault = messages.find(({ type }) => type === "error");
    const refusal = await scope;
    if (fault) {
      const { file, line } = kernel.locate(fault.lineNum);
      const where = file === label ? `line ${line}` : `${file}, line ${line}`;
      const text = fault.message.trim();
      throw kernelFailure(kernel, `(${where}): ${text}`, text, line);
    }
    if (refusal) throw kernelFailure(kernel, `: ${refusal.message}`, refusal.message);
    const layout = this.#layoutOf(kernel);
    try {
      const pipeline = await device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main", constants: { ...constants } },
      });
      return { pipeline, layout };
    } catch (error) {
      const { message } = error as Error;
      throw kernelFailure(kernel, `: ${message}`, message);
    }
  }

  /** Explicit, so that a binding that a kernel leaves unused is still one, and equal layouts are shared. */
  #layoutOf({ bindings }: KernelSource): GPUBindGroupLayout {
    const key = bindings.map(({ access }) => access).join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.#device.createBindGroupLayout({
        label: key,
        entries: bindings.map(({ access, index: binding }) => ({
          binding,
          visibility: shaderStage.COMPUTE,
          buffer: { type: bufferTypes[access] },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

const bufferTypes = {
  read: "read-only-storage",
  read_write: "storage",
  uniform: "uniform",
} as const;

/** An E_KERNEL error that also carries the kernel, the line and the compiler's own text. */
export type KernelFailure = OnestepError & {
  readonly kernel: string;
  readonly line?: number;
  readonly detail: string;
};

function kernelFailure({ name: kernel }: KernelSource, what: string, detail: string, line?: number): KernelFailure {
  const text = what.startsWith("(") ? `${kernel} ${what}` : `${kernel}${what}`;
  return Object.assign(failure("E_KERNEL", `Cannot compile ${text.trim()}`), {
    kernel,
    line,
    detail,
  });
}
