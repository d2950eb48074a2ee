/**
 * `node build.mjs soak decode --count 2000 --side 256 --size 32 --steps 60 --device wasm`: how many pictures a second are decoded on
 * one thread, and how long a step of the `pictures` preset waits for data out of a folder of JPEG files. `--network song` trains
 * the network of the `cifar10` preset; `--data DIR` takes a folder of the user's own. The first `--warm` steps don't count: kernels
 * are compiled and the worker starts.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import encodeJpeg, { init } from "@jsquash/jpeg/encode.js";
import { files } from "../../backends/host/files.ts";
import { offloading } from "../../backends/host/offload.ts";
import { openPictureTask } from "../../core/io/mod.ts";
import { TurnFeed } from "../../core/train/batch/turnFeed.ts";
import { Run, type RunConfig, resolveConfig } from "../../core/train/mod.ts";
import { openBackend } from "../../examples/cli/device.ts";
import { presets } from "../../examples/cli/presets.ts";
import { loadRegistry } from "../../examples/cli/registry.ts";
import { encodePng } from "../../plugins/observers/drawing/png.ts";
import { scratch } from "../examples/cli/program.ts";

/** The largest part of a step that may be waiting for data. */
const BAR = 0.02;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "2000" },
    side: { type: "string", default: "256" },
    size: { type: "string", default: "32" },
    steps: { type: "string", default: "60" },
    batch: { type: "string", default: "32" },
    network: { type: "string" },
    warm: { type: "string", default: "10" },
    device: { type: "string", default: "wasm" },
    data: { type: "string" },
  },
});
const { count, side, size, steps, batch, warm } = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, Number(value)]),
);

/** A slope of colours with noise, RGB: each as hard to decode as a photograph. */
function photo(width: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length: 3 * width * width }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const pixel = Math.floor(i / 3);
    const slope = [pixel % width, Math.floor(pixel / width), (pixel % width) + Math.floor(pixel / width)][i % 3];
    return Math.min(255, Math.max(0, (slope * 200) / width / ((i % 3 === 2 ? 1 : 0) + 1) + (state >>> 27)));
  });
}

async function jpeg(width: number, seed: number): Promise<Uint8Array> {
  const rgb = photo(width, seed);
  const data = new Uint8ClampedArray(4 * width * width).fill(255);
  for (let i = 0; i < width * width; i++) data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
  const picture = { data, width, height: width, colorSpace: "srgb" } as ImageData;
  return new Uint8Array(await encodeJpeg(picture, { quality: 85 }));
}

/** Pictures a second of CPU time, so that other programs hardly change it: the best of four rounds. */
async function rate(file: Uint8Array, to?: number): Promise<string> {
  const task = await openPictureTask(["JPEG"]);
  const side = to ?? (file[0] === 0xff ? values.side : 32);
  const framing = { fit: "crop", filter: "lanczos", ...(to && { size: [to, to] as const }) } as const;
  const request = {
    files: Array<Uint8Array>(100).fill(file),
    framing,
    shape: [3, Number(side), Number(side)] as const,
  };
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 4; round++) {
    const began = process.cpuUsage();
    const { broken, fault } = await task(request);
    if (broken >= 0) throw new Error(fault);
    const { user, system } = process.cpuUsage(began);
    least = Math.min(least, (user + system) / 1e6);
  }
  return `${Math.round(request.files.length / least)} a second`;
}

const { path, remove } = scratch();
await init(await WebAssembly.compile(readFileSync("node_modules/@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm")));
const png = encodePng({ width: 32, height: 32, channels: 3, data: photo(32, 0) });
const large = await jpeg(side, 0);
console.log(`PNG 32 x 32: ${await rate(png)}`);
console.log(`JPEG ${side} x ${side} (${large.length} bytes): ${await rate(large)}`);
console.log(`the same, resized to ${size} x ${size}: ${await rate(large, size)}`);

const folder = values.data ?? path("photos");
if (!values.data) {
  mkdirSync(folder);
  // A few dozen that differ: what a file holds does not matter to time.
  const some = await Promise.all(Array.from({ length: 24 }, (_, seed) => jpeg(side, seed)));
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `${i}.jpg`), some[i % some.length]);
}

/** Milliseconds that updates waited for their inputs. */
let waited = 0;
const take = TurnFeed.prototype.take;
TurnFeed.prototype.take = async function (part) {
  const began = performance.now();
  try {
    return await take.call(this, part);
  } finally {
    waited += performance.now() - began;
  }
};

const config = await presets.pictures.config();
const dataset = { use: "pictures", size: [size, size], flip: true };
const options = { ...dataset, crop: [] };
const fit = (await presets.pictures.fit!(files, folder, options)) as { network: object };
const changed = {
  ...config,
  dataset,
  network: values.network ? { use: values.network } : { ...(config.network as object), ...fit.network },
  method: { ...(config.method as object), teacher: { steps: 0 } },
  metrics: {},
  train: { steps: steps + warm + 1, batch, checkpointMinutes: 0, evaluateCount: 4 },
};
const run = await Run.create({
  resolved: resolveConfig(changed as unknown as RunConfig, await loadRegistry()),
  backend: await openBackend(values.device),
  data: { files, path: folder, offload: offloading(), found: (text) => console.log(text) },
});
let began = 0;
run.bus.on("step/end", ({ step }) => {
  if (step === warm) [began, waited] = [performance.now(), 0];
});
await run.start();
const total = performance.now() - began;
remove();
const share = waited / total;
console.log(
  `${steps} steps of ${batch}: ${(total / steps).toFixed(0)} ms a step, ${(waited / steps).toFixed(1)} ms of it waiting for data: ${(100 * share).toFixed(2)} % (at most ${100 * BAR} %)`,
);
process.exit(share > BAR ? 1 : 0);
