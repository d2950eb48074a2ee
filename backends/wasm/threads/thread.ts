import { type Message, serve, takeChunks } from "./crew.ts";

/**
 * Makes a worker of the web a thread of the wasm backend. The whole of a file that `WasmOptions.thread` starts:
 *
 * ```ts
 * import { serveThread } from "onestep/wasm";
 * serveThread();
 * ```
 */
export function serveThread(): void {
  serve(takeChunks, (handle) => {
    globalThis.onmessage = ({ data }: MessageEvent<Message>) => handle(data);
  });
}
