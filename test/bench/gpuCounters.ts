import type { Counters } from "./serve.ts";

/** The classes of one WebGPU implementation. */
export interface GpuClasses {
  readonly GPUDevice: { readonly prototype: object };
  readonly GPUQueue: { readonly prototype: object };
  readonly GPUComputePassEncoder: { readonly prototype: object };
  readonly GPUBuffer: { readonly prototype: object };
}

/** Counts every engine's calls in the same way: by wrapping the methods of WebGPU itself. */
export class GpuCounters {
  readonly #counts = { dispatches: 0, submits: 0, bindGroups: 0, buffers: 0 };
  #live = 0;
  #peak = 0;

  constructor(classes: GpuClasses) {
    const { GPUDevice, GPUQueue, GPUComputePassEncoder, GPUBuffer } = classes;
    const count = (prototype: object, method: string, key: keyof GpuCounters["totals"]) =>
      after(prototype, method, () => this.#counts[key]++);
    count(GPUComputePassEncoder.prototype, "dispatchWorkgroups", "dispatches");
    count(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", "dispatches");
    count(GPUQueue.prototype, "submit", "submits");
    count(GPUDevice.prototype, "createBindGroup", "bindGroups");
    const sizes = new WeakMap<object, number>();
    after(GPUDevice.prototype, "createBuffer", (_, [{ size }], made) => {
      sizes.set(made as object, size);
      this.#counts.buffers++;
      this.#live += size;
      this.#peak = Math.max(this.#peak, this.#live);
    });
    after(GPUBuffer.prototype, "destroy", (buffer) => {
      this.#live -= sizes.get(buffer) ?? 0;
      sizes.delete(buffer);
    });
  }

  get totals(): { dispatches: number; submits: number; bindGroups: number; buffers: number } {
    return { ...this.#counts };
  }
  counters(): Counters {
    return { ...this.#counts, peakBytes: this.#peak };
  }
  forgetPeak(): void {
    this.#peak = this.#live;
  }
}

type Method = (this: object, ...args: never[]) => unknown;
type After = (self: object, args: [{ size: number }], result: unknown) => void;

function after(prototype: object, name: string, then: After): void {
  const methods = prototype as Record<string, Method | undefined>;
  const original = methods[name];
  if (!original) return;
  methods[name] = function (...args) {
    const result = original.apply(this, args);
    then(this, args as unknown as [{ size: number }], result);
    return result;
  };
}
