import type { Dispatch, DispatchList } from "../dispatch.ts";
import type { Pipeline } from "../pipelines.ts";
import type { Session } from "../session.ts";

/** Progress of the work that a device does once per program, before its first run. */
export interface WarmUpProgress {
  /** Name of the program. */
  readonly program: string;
  /** `kernels`: they are compiled. `variants`: those that fit are measured, for one op and its shapes after the other. */
  readonly what: "kernels" | "variants";
  /** From 0 to `total`. */
  readonly done: number;
  readonly total: number;
}

/** Bytes of what stands in for a binding. */
const STAND_IN = 4096;

/**
 * Gets kernels ready. Pipelines are made concurrently. Software drivers only compile a kernel when it first runs, on the
 * thread that runs all others: so there each new one is run once, on a workgroup of nothing, while somebody is told.
 */
export class WarmUp {
  readonly #session: Session;
  readonly #ready = new WeakSet<Promise<Pipeline>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * The pipelines of a program, one for each dispatch, compiled to the end.
   * @throws KernelError E_KERNEL with kernel, line and the compiler's text
   */
  async pipelines(list: DispatchList, tell: (progress: WarmUpProgress) => void = () => {}): Promise<Pipeline[]> {
    const { pipelines, traits } = this.#session;
    const made = list.dispatches.map(({ kernel, constants }) => pipelines.get(kernel, constants));
    const fresh = new Map(made.map((pipeline, i) => [pipeline, list.dispatches[i]]));
    for (const pipeline of [...fresh.keys()]) if (this.#ready.has(pipeline)) fresh.delete(pipeline);
    let done = 0;
    const progress = () => tell({ program: list.program, what: "kernels", done: done++, total: fresh.size });
    if (fresh.size > 0) progress();
    const work = traits.software
      ? this.#last.then(async () => {
          for (const [pipeline, dispatch] of fresh) {
            await this.#runOnce(await pipeline, dispatch, list.dims);
            this.#ready.add(pipeline);
            progress();
          }
        })
      : Promise.all(
          [...fresh.keys()].map(async (pipeline) => {
            await pipeline;
            this.#ready.add(pipeline);
            progress();
          }),
        );
    if (traits.software) this.#last = work.catch(() => {});
    await work;
    return Promise.all(made);
  }

  /** One workgroup of the dispatch, on stand-ins: loads and stores beyond them are held to them by WebGPU. */
  async #runOnce({ pipeline, layout }: Pipeline, dispatch: Dispatch, dims: Uint8Array<ArrayBuffer>) {
    const { device, buffers } = this.#session;
    const { kernel, bindings, dimsOffset } = dispatch;
    const label = `warm-up/${kernel.name}`;
    const standIns = bindings.map(() => buffers.create(label, STAND_IN, "storage"));
    if (kernel.dims) {
      const own = buffers.create(label, kernel.dims.bytes, "uniform");
      this.#session.write(own, dims.subarray(dimsOffset, dimsOffset + kernel.dims.bytes));
      standIns.push(own);
    }
    const entries = standIns.map((buffer, i) => ({
      binding: kernel.bindings[i].index,
      resource: { buffer },
    }));
    const encoder = device.createCommandEncoder({ label });
    const pass = encoder.beginComputePass({ label });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ label, layout, entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    device.queue.submit([encoder.finish()]);
    try {
      await this.#session.finish();
    } finally {
      for (const buffer of standIns) buffers.destroy(buffer);
    }
  }
}
