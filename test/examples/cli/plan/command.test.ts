import { existsSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { onestep, scratch, tinyConfig } from "../program.ts";

const test = suite("examples/cli plan");
const folder = scratch();
const device = ["--device", "reference"];
test.after(() => folder.remove());

test("says what each stage needs, and that it fits", async () => {
  const config = tinyConfig(folder.path("tiny.json"));
  const { code, stdout, stderr } = await onestep("plan", config, "--device", "wasm");
  assert.is(code, 0, stderr);
  assert.match(stdout, /^parameters {2}teacher \d+, generator \d+, critic \d+$/m);
  assert.match(stdout, /^MiB of the device +weights +moments +averages +gradient +all$/m);
  assert.match(stdout, /^generator( +\d+\.\d){3} +- +\d+\.\d$/m);
  assert.match(stdout, /^critic( +\d+\.\d){2} +- +- +\d+\.\d$/m);
  for (const row of ["activations", "peak"]) assert.match(stdout, new RegExp(`^${row}( +-){4} +\\d+\\.\\d$`, "m"));
  assert.match(stdout, /^host +about \d+\.\d MiB besides: /m);
  assert.match(stdout, /^disk +\d+\.\d MiB: 4 checkpoints of \d+\.\d \(train\.keep=3, /m);
  assert.match(stdout, /^time +about [\d.]+ m?s for the \d+ steps of teacher, /m);
  assert.match(stdout, /^teacher, .* MiB with states\nprogram +steps +GFLOP +MiB .*convolutions/m);
  assert.match(stdout, /^critic update +\d+ +0\.00 .*\[\d+.*\] 0\.\d/m);
  assert.match(stdout, /^fits +yes, the device has \d/m);
});

test("--time: says how long the steps of each stage take that were run; not without data", async () => {
  const config = tinyConfig(folder.path("timed.json"), {}, { steps: 0, batch: 8 });
  const { code, stdout, stderr } = await onestep("plan", config, "--device", "wasm", "--threads", "1", "--time");
  assert.is(code, 0, stderr);
  const lines = [...stdout.matchAll(/^measured +\S+ m?s for the (\d+) steps of (\w+), \S+ m?s each, /gm)];
  assert.equal(
    lines.map(([, steps, stage]) => `${stage} ${steps}`),
    ["distillation 12"],
  );
  const refused = await onestep("plan", "sd15-stage1", ...device, "--time");
  assert.is(refused.code, 2);
  assert.match(refused.stderr, /^error E_USAGE: Cannot run plan: --time takes steps, which need the data/);
});

test("what does not fit is refused with what would", async () => {
  const numbers = { batch: 4096, evaluateCount: 8, sampleEvery: 0 };
  const config = tinyConfig(folder.path("wide.json"), numbers, { steps: 9, batch: 64 });
  const { code, stdout, stderr } = await onestep("plan", config, ...device, "--memory", "1.5MiB");
  assert.is(code, 1);
  assert.match(stdout, /^fits +no$/m);
  assert.match(stderr, /^error E_DEVICE_LIMIT: Cannot run on .* needs .* MiB, the device has 1\.5/m);
  const [, accumulate] = stderr.match(/^ {2}--set train\.accumulate=(\d+) needs \d\.\d MiB, \d+\.\d less$/m) ?? [];
  assert.ok(Number(accumulate) > 1, stderr);
  assert.match(stderr, /^ {2}--set train\.batch=\d+ needs/m);
  // What it says would fit does.
  const again = ["--memory", "1.5MiB", "--set", `train.accumulate=${accumulate}`];
  assert.is((await onestep("plan", config, ...device, ...again)).code, 0);
});

test("a run that does not fit is refused with what would, and leaves nothing behind", async () => {
  const out = folder.path("too-large");
  const words = ["train", "gaussians", "--device", "wasm", "--set", "train.batch=2097152", "--out", out];
  const { code, stderr } = await onestep(...words);
  assert.is(code, 1);
  assert.match(stderr, /^error E_DEVICE_LIMIT: Cannot run on .* needs .* MiB, the device has \d/m);
  assert.match(stderr, /^ {2}--set train\.accumulate=\d+ needs \d+\.\d MiB, \d+\.\d less$/m);
  assert.not.ok(existsSync(out));
});

test("a preset of true size is planned by its shape alone", async () => {
  const words = ["plan", "sd15-stage1", "--device", "wasm", "--threads", "1", "--memory", "80GiB"];
  const { code, stdout, stderr } = await onestep(...words);
  assert.is(code, 0, stderr);
  assert.match(stdout, /^data +none is given; planned for samples \[4, 64, 64\] with text \[77, 768\]$/m);
  assert.match(stdout, /^parameters {2}teacher 859,520,964, /m);
});

test("a size that is none is a usage error", async () => {
  const { code, stderr } = await onestep("plan", "gaussians", "--memory", "much");
  assert.is(code, 2);
  assert.match(stderr, /--memory is "much", expected a size such as 6GiB/);
});

test.run();
