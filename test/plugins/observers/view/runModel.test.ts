import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LoggedEvent } from "../../../../plugins/observers/logLines.ts";
import { RunModel } from "../../../../plugins/observers/view/runModel.ts";

const test = suite("observers/view/runModel");

const start: LoggedEvent = {
  type: "run/start",
  at: 0,
  seed: 3,
  steps: 30,
  stages: [
    { name: "teacher", steps: 10 },
    { name: "distillation", steps: 20 },
  ],
  device: "wasm: here",
  config: { losses: { "gan-generator": { weight: 0.5 }, "fake-score": { weight: 1 } } },
};
const step = (at: number, n: number): LoggedEvent => ({
  type: "step/end",
  at,
  stage: "distillation",
  step: n,
  ms: 100,
});

const model = (...events: (LoggedEvent | undefined)[]) => {
  const made = new RunModel();
  for (const event of events) made.take(event);
  return made;
};

test("a run that goes on has its stage, speed and time left", () => {
  const made = model(start, ...Array.from({ length: 10 }, (_, n) => step(n * 0.2, n)));
  const { state, stage, stages, rate, left, seconds, seed, device } = made.head(true);
  assert.equal([state, stage, seed, device], ["running", "distillation", 3, "wasm: here"]);
  assert.equal(stages[1], { name: "distillation", steps: 20, done: 10 });
  // By the clock: steps of 100 ms every 200 ms.
  assert.ok(Math.abs((rate ?? 0) - 5) < 0.1, `${rate} steps/s`);
  assert.ok(Math.abs((left ?? 0) - 2) < 0.1, `${left} s left`);
  assert.is(seconds, 1.8);
});

test("its state is what its log and its folder say", () => {
  const pause = { type: "control/received", step: 1, command: { type: "pause" } };
  const failed = { type: "run/failed", step: 4, error: { code: "E_DIVERGED", message: "Cannot go on" } };
  assert.is(model().head(false).state, "waiting");
  assert.is(model(start, step(0, 0)).head(false).state, "silent");
  assert.is(model(start, pause).head(true).state, "paused");
  assert.is(model(start, { type: "run/end", reason: "complete" }).head(false).state, "complete");
  assert.is(model(start, { type: "run/end", reason: "stopped" }).head(false).state, "stopped");
  const head = model(start, failed, { type: "run/end", reason: "failed" }).head(false);
  assert.equal([head.state, head.fault], ["failed", "E_DIVERGED: Cannot go on"]);
  // Started again, it is on.
  assert.is(model(start, failed, { type: "run/end", reason: "failed" }, start).head(true).state, "running");
});

test("losses, gradients, diagnoses and metrics become curves, each once", () => {
  const losses = { "gan-generator": 0.7, "gradient-norm": 2 };
  const made = model(
    start,
    {
      type: "role/diagnosed",
      stage: "distillation",
      role: "generator",
      step: 0,
      values: { "gan-generator": 0.7, "image-gradient gan-generator": 0.1, brightness: 0.5 },
    },
    { type: "role/updated", stage: "distillation", role: "generator", step: 0, losses },
    { type: "learner/judged", stage: "distillation", role: "generator", step: 5, metrics: { fid: 9, "fid ±": 1 } },
    { type: "device/read", stage: "distillation", step: 5, bytes: 3 * 2 ** 20 },
  );
  assert.equal(
    made.curves.map(({ kind, name, stretches }) => [kind, name, stretches]),
    [
      ["gradient", "image-gradient gan-generator", [[0, 0.1]]],
      ["diagnosis", "brightness", [[0, 0.5]]],
      ["loss", "gan-generator", [[0, 0.7]]],
      ["gradient", "gradient-norm", [[0, 2]]],
      ["metric", "fid", [[5, 9]]],
      ["memory", "device memory", [[5, 3]]],
    ],
  );
  assert.is(made.head(true).memory, 3 * 2 ** 20);
});

test("a weight is that of the config until it is set", () => {
  const set = { type: "control/received", step: 7, command: { type: "set-weight", loss: "gan-generator", weight: 2 } };
  assert.equal(model(start).weights[0], { loss: "gan-generator", weight: 0.5 });
  const made = model(start, set);
  assert.equal(made.weights[0], { loss: "gan-generator", weight: 2 });
  assert.match(made.notes.at(-1)?.text ?? "", /weight of gan-generator is 2 from step 7/);
});

test("a warning knows when it was over", () => {
  const warned = {
    type: "health/warned",
    monitor: "collapse",
    stage: "distillation",
    step: 4,
    steps: 20,
    message: "m",
    advice: "a",
    severe: true,
  };
  const eased = { type: "health/eased", monitor: "collapse", stage: "distillation", step: 9, since: 4 };
  assert.is(model(start, warned).warnings[0].until, undefined);
  assert.is(model(start, warned, eased).warnings[0].until, 9);
});

test("what is not as it should be is passed over", () => {
  const made = model(
    undefined,
    { type: "run/start", stages: "none", config: 3 } as LoggedEvent,
    { type: "role/updated", role: "generator", step: -1, losses: { a: 1 } },
    { type: "health/warned", monitor: 3 },
    { type: "control/received", command: "stop" },
    { type: "samples/judged", who: "data" },
    { type: "role/left-out", role: "generator" },
    { type: "constructor" },
    { type: "run/failed", error: null },
  );
  const { damaged, state } = made.head(undefined);
  assert.equal([damaged, state, made.curves, made.warnings, made.judgements], [1, "failed", [], [], []]);
});

test.run();
