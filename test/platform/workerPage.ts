// What worker.test.ts runs in a page: the worker of examples/worker, asked as the thread of Node asks its own.
import { type Question, type Reply, WorkerSampler } from "../../examples/worker/sampler.ts";

const send = (result: unknown) => fetch("/result", { method: "POST", body: JSON.stringify(result) });
try {
  const weights = new Uint8Array(await (await fetch("/weights.safetensors")).arrayBuffer());
  const worker = new Worker("/worker.js", { type: "module" });
  const sampler = new WorkerSampler({
    send: (message: Question) => worker.postMessage(message),
    listen: (hear) => worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => hear(data)),
  });
  await sampler.load(weights, { device: "wasm", threads: 1 });
  const { x } = await sampler.sample({ count: 4, seed: 7 });
  await send({ x: [...x] });
} catch (error) {
  await send({ error: String((error as Error).stack ?? error) });
}
