/** The worker's end in browsers and Deno: `new Worker(new URL("./webWorker.js", import.meta.url), { type: "module" })`. */
import { type Question, serveSampler } from "./sampler.ts";

serveSampler({
  send: (message, transfer = []) => postMessage(message, { transfer: [...transfer] }),
  listen: (hear) => addEventListener("message", ({ data }: MessageEvent<Question>) => hear(data)),
});
