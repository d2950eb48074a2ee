/**
 * Samples in a worker thread of Node, while this thread goes on: the file is both ends.
 *
 *     npm run example -- worker runs/mnist/generator.safetensors
 */
import { readFile } from "node:fs/promises";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { serveSampler, WorkerSampler } from "./sampler.ts";

if (isMainThread) {
  const [file] = process.argv.slice(2);
  if (file === undefined) {
    console.error("usage: npm run example -- worker <weights.safetensors>");
    process.exit(2);
  }
  const worker = new Worker(new URL(import.meta.url));
  const sampler = new WorkerSampler({
    send: (message) => worker.postMessage(message),
    listen: (hear) => void worker.on("message", hear),
  });
  let ticks = 0;
  const clock = setInterval(() => ticks++, 1);
  await sampler.load(await readFile(file));
  const { shape, x, nfe } = await sampler.sample({ count: 4, seed: 7 });
  clearInterval(clock);
  console.log(`${shape[0]} samples of [${shape.slice(1)}], NFE ${nfe}, while this thread was free ${ticks} times`);
  console.log(Array.from(x.subarray(0, 8), (value) => value.toFixed(2)).join(" "));
  await worker.terminate();
} else {
  const port = parentPort!;
  serveSampler({
    send: (message, transfer = []) => port.postMessage(message, transfer),
    listen: (hear) => void port.on("message", hear),
  });
}
