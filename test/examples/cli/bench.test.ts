import { suite } from "uvu";
import * as assert from "uvu/assert";
import { onestep } from "./program.ts";

const test = suite("examples/cli bench");
const small = ["--set", "train.batch=8", "--rounds", "1", "--device", "wasm"];

test("--help: flags and examples", async () => {
  const { code, stdout } = await onestep("bench", "--help");
  assert.is(code, 0);
  assert.match(stdout, /usage: .*onestep bench/);
  assert.match(stdout, /--profile/);
});

test("times every update of a preset", async () => {
  const { code, stdout } = await onestep("bench", "gaussians", ...small);
  assert.is(code, 0);
  assert.match(stdout, /^device {2}wasm: /m);
  assert.match(stdout, /^step +[\d.]+ ms on average, batch 8, 5 steps in a cycle$/m);
  assert.match(stdout, /^generator update: [\d.]+ ms, best [\d.]+ of 1; \d+ steps, /m);
  // After the generator's turn, and alone.
  assert.is(stdout.match(/^critic update: /gm)?.length, 2);
  assert.not.match(stdout, /GFLOP/);
});

test("a round is a whole cycle, whatever turns it has", async () => {
  const cycles: [settings: string[], steps: number][] = [
    [["method.ttur.critic=4", "method.ttur.exclusive=true"], 5],
    [["method.ttur.critic=1", "method.ttur.generator=3"], 3],
  ];
  for (const [settings, steps] of cycles) {
    const set = settings.flatMap((each) => ["--set", each]);
    const { code, stdout } = await onestep("bench", "gaussians", ...small, ...set);
    assert.is(code, 0);
    assert.match(stdout, new RegExp(`, batch 8, ${steps} steps in a cycle$`, "m"));
  }
});

test("--profile: kernels beside the best of the device, and where the time goes", async () => {
  const { code, stdout } = await onestep("bench", "gaussians", ...small, "--profile");
  assert.is(code, 0);
  assert.match(stdout, /the best here is [\d.]+ GFLOP\/s and [\d.]+ GB\/s$/m);
  assert.match(stdout, /ms +share +calls +GFLOP\/s +of best +GB\/s +of best +kernel/);
  assert.match(stdout, /matmul \[8, 128\] \[128, 128\]/);
  assert.match(stdout, /^ +[\d.]+ ms {2}█+ +matmul$/m);
});

test("--tune that is no way to choose kernels: an error with the ways", async () => {
  const { code, stderr } = await onestep("bench", "gaussians", ...small, "--tune", "measured");
  assert.is(code, 2);
  assert.match(stderr, /by "measured": expected one of off, cached, measure, did you mean/);
});

test("--rounds that is no count: an error with the value", async () => {
  const { code, stderr } = await onestep("bench", "gaussians", "--rounds", "0");
  assert.is(code, 2);
  assert.match(stderr, /--rounds must be a whole number from 1, current value is 0/);
});

test.run();
