// The worker of examples/worker, in Node and in a page: the bits that the same weights give on the thread.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createEngine } from "../../examples/engine/mod.ts";
import { WorkerSampler } from "../../examples/worker/sampler.ts";
import { hasChromium, inChromium } from "../helpers/chromium.ts";
import { scratch } from "./cli/program.ts";
import { tinyRun } from "./engine/tinyRun.ts";

const test = suite("examples/worker");
const { path, remove } = scratch();
test.after(remove);

let weights: Uint8Array;
let expected: number[];
/** The example, bundled; in the project, so that it finds its packages. */
const program = join(process.cwd(), ".test/worker-under-test/main.mjs");
const common = { bundle: true, format: "esm", target: "es2022", logLevel: "error" } as const;
test.before(async () => {
  const engine = await createEngine({ device: "wasm", threads: 1 });
  const training = await engine.train(tinyRun(2));
  await training.start();
  weights = await training.weights();
  expected = [...(await (await training.model()).sample({ count: 4, seed: 7 })).x];
  await engine.dispose();
  const entryPoints = ["examples/worker/main.ts"];
  await build({ ...common, entryPoints, outfile: program, platform: "node", packages: "external" });
});

test("the program samples in a worker thread of Node, and its own thread is free meanwhile", () => {
  const file = path("generator.safetensors");
  writeFileSync(file, weights);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, file], { encoding: "utf8" });
  assert.is(status, 0, stderr);
  const [, ticks] = stdout.match(/^4 samples of \[2\], NFE 1, while this thread was free (\d+) times$/m) ?? [];
  assert.ok(Number(ticks) > 3, stdout);
});

test("a worker gives the bits of the thread, tells errors by their code, and is cancelled", async () => {
  const worker = new Worker(program);
  try {
    const sampler = new WorkerSampler({
      send: (message) => worker.postMessage(message),
      listen: (hear) => void worker.on("message", hear),
    });
    const early = await sampler.sample().catch((error) => error.message);
    assert.match(String(early), /nothing is loaded/);
    assert.equal(await sampler.load(weights, { device: "wasm", threads: 1 }), []);
    assert.equal([...(await sampler.sample({ count: 4, seed: 7 })).x], expected);
    const codeOf = (call: Promise<unknown>) => call.then(String, ({ code }) => code);
    assert.is(await codeOf(sampler.sample({ label: "3" })), "E_OPTION");
    const cancel = new AbortController();
    const long = codeOf(sampler.sample({ count: 2_000_000, signal: cancel.signal }));
    setTimeout(() => cancel.abort(), 20);
    assert.is(await long, "E_ABORTED");
    assert.equal([...(await sampler.sample({ count: 4, seed: 7 })).x], expected);
  } finally {
    await worker.terminate();
  }
});

const inPage = hasChromium() && process.env.ONESTEP_BROWSER ? test : test.skip;
inPage("the same worker in a page gives the same bits", async () => {
  const bundled = async (file: string) => {
    const { outputFiles } = await build({ ...common, entryPoints: [file], write: false, platform: "browser" });
    return outputFiles[0].text;
  };
  const [page, worker] = [await bundled("test/platform/workerPage.ts"), await bundled("examples/worker/webWorker.ts")];
  const content = { "/worker.js": worker, "/weights.safetensors": weights };
  const { error, x } = JSON.parse(await inChromium(page, content));
  assert.is(error, undefined);
  assert.equal(x, expected);
});

test.run();
