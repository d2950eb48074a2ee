import type { Host } from "./host.ts";

/** Threads in a browser. Workers need a page that is cross-origin isolated. */
export function browserHost(): Host {
  return {
    processor: "CPU",
    cores: globalThis.navigator?.hardwareConcurrency ?? 1,
    // A page must not sleep, a worker may.
    mayWait: typeof document === "undefined",
    allowRelaxedSimd: () => {},
    startWorker(script) {
      const text = script("(handle) => { onmessage = ({ data }) => handle(data); }");
      const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
      const worker = new Worker(url);
      URL.revokeObjectURL(url);
      return {
        post: (message) => worker.postMessage(message),
        stop: async () => worker.terminate(),
      };
    },
  };
}
