import type { Backend } from "../../../core/mod.ts";
import { type DeviceReport, type Way, ways } from "./messages.ts";

/** An open device and what is to be said of it. */
export interface Opened {
  readonly backend: Backend;
  readonly report: DeviceReport;
}

/** Why a way can't be gone, as one sentence without its full stop. */
class Passed extends Error {}

/**
 * Opens the first way that can be gone, in the order of `ways`; with a wish, that one is tried first.
 * @param failed ways that were tried and lost, with the reason: they are passed over
 */
export async function openBest(
  wish: Way | undefined,
  failed: ReadonlyMap<Way, string>,
  onLost: (why: string) => void,
): Promise<Opened> {
  const passed: { way: Way; why: string }[] = [];
  for (const way of wish ? [wish, ...ways.filter((each) => each !== wish)] : ways) {
    try {
      const why = failed.get(way);
      if (why !== undefined) throw new Passed(why);
      const backend = await open[way](way === wish, onLost);
      return { backend, report: { way, name: backend.info.name, passed } };
    } catch (error) {
      passed.push({ way, why: (error as Error).message.split("\n")[0] });
    }
  }
  throw new Error(`nothing here can compute: ${passed.map(({ why }) => why).join("; ")}`);
}

/** How each way is opened. Its code is fetched only then. */
const open: Readonly<Record<Way, (wished: boolean, onLost: (why: string) => void) => Promise<Backend>>> = {
  async webgpu(wished, onLost) {
    const { gpu } = navigator;
    if (!gpu && !isSecureContext) throw new Passed("browsers offer it on https and localhost only");
    if (!gpu) throw new Passed("this browser does not offer it to workers");
    const adapter = await gpu.requestAdapter();
    if (!adapter) throw new Passed("the browser finds no graphics adapter that it may use");
    const { WebGpuBackend } = await import("../../../backends/webgpu/mod.ts");
    const backend = await WebGpuBackend.open({ tune: "off", onLost: ({ message }) => onLost(message) });
    if (!backend.info.software || wished) return backend;
    const { name } = backend.info;
    await backend.close();
    throw new Passed(`its only adapter here, ${name}, computes on the CPU, where WebAssembly is faster`);
  },
  async threads() {
    if (typeof SharedArrayBuffer === "undefined" || !crossOriginIsolated)
      throw new Passed(
        "there is no SharedArrayBuffer, as the server does not send the two headers of cross-origin isolation",
      );
    if (navigator.hardwareConcurrency < 2) throw new Passed("there is one core");
    const { WasmBackend } = await import("../../../backends/wasm/mod.ts");
    const thread = () => new Worker(new URL("thread.js", location.href), { type: "module" });
    return WasmBackend.open({ thread });
  },
  async thread() {
    const { WasmBackend } = await import("../../../backends/wasm/mod.ts");
    return WasmBackend.open({ threads: 1, shared: false });
  },
  async reference() {
    const { ReferenceBackend } = await import("../../../backends/reference/mod.ts");
    return new ReferenceBackend();
  },
};
