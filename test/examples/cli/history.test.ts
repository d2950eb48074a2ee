import { suite } from "uvu";
import * as assert from "uvu/assert";
import { OnestepError } from "../../../core/errors.ts";
import { missingMonitors, monitorsOf } from "../../../examples/cli/history/health.ts";
import { readHistory } from "../../../examples/cli/history/readHistory.ts";
import { historyReport } from "../../../examples/cli/history/report.ts";
import { loadRegistry } from "../../../examples/cli/registry.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { onestep } from "./program.ts";

const test = suite("examples/cli/history");

const config = {
  dataset: { use: "gaussians" },
  network: { use: "mlp" },
  method: { use: "dmd2" },
  train: { seed: 4, steps: 40 },
};
const start = {
  type: "run/start",
  at: 0,
  seed: 4,
  steps: 60,
  stages: [
    { name: "teacher", steps: 20 },
    { name: "distillation", steps: 40 },
  ],
  device: "wasm: a processor",
  config,
};
const step = (stage: string, step: number, at: number) => ({ type: "step/end", stage, step, at, ms: 1 });
/** Readings of a run whose samples burn out. */
const burning = Array.from({ length: 8 }, (_, i) => ({
  type: "health/read",
  at: i,
  stage: "distillation",
  step: 5 * i,
  steps: 40,
  values: { "generator/gradient-norm": 1, "samples/outside": i < 3 ? 0.01 : 0.4 },
}));

async function told(
  lines: readonly (object | string)[],
  { monitors, holder }: { monitors?: object; holder?: string } = {},
) {
  const first = monitors ? [{ ...start, config: { ...config, monitors } }] : [start];
  const text = [...first, ...lines].map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  const files = memoryFiles({ "run/events.jsonl": `${text}\n` });
  const before = [...files.contents.keys()];
  const history = await readHistory(files, "run");
  assert.equal([...files.contents.keys()], before, "nothing is written");
  return historyReport(history, monitorsOf(history, await loadRegistry()), holder);
}

test("a run that is complete, with its stages, its warnings and when they began", async () => {
  const report = await told([
    step("teacher", 19, 10),
    ...burning,
    step("distillation", 39, 70),
    { type: "samples/judged", at: 75, who: "generator", nfe: 1, count: 50, metrics: { sw: 0.5 } },
    { type: "run/end", at: 80, steps: 60, reason: "complete" },
  ]);
  assert.match(report, /^run {5}run: dmd2 on gaussians, network mlp, seed 4; wasm: a processor$/m);
  assert.match(report, /^stages {2}teacher 20\/20, distillation 40\/40$/m);
  assert.match(report, /^state {3}complete, in 1 min 20 s$/m);
  assert.match(report, /^health {2}1 warning, from 8 readings$/m);
  assert.match(report, /health \(saturation\), distillation step 20 of 40: 40 % .*; lower optimizers\.generator\.lr$/m);
  assert.match(report, /^generator +1 +50 +0\.500$/m);
});

test("options of monitors are those of the run; without a finding it says so", async () => {
  assert.match(await told(burning, { monitors: { saturation: false } }), /^health {2}nothing found, in 8 readings$/m);
  const generous = { saturation: { use: "saturation", most: 0.5 } };
  assert.match(await told(burning, { monitors: generous }), /^health {2}nothing found/m);
  const unknown = { saturation: { use: "saturation", gone: 1 } };
  assert.match(await told(burning, { monitors: unknown }), /health \(saturation\)/);
});

test("a warning of a monitor that is not here is told as it was recorded", async () => {
  const warned = { type: "health/warned", at: 3, monitor: "mine", stage: "distillation", step: 7, steps: 40 };
  const report = await told([{ ...warned, message: "too red", advice: "less red", severe: false }]);
  assert.match(report, /health \(mine\), distillation step 7 of 40: too red; less red$/m);
});

test("runs that failed, were stopped or killed, or are going on; sessions of one that was resumed", async () => {
  const error = { name: "OnestepError", code: "E_DIVERGED", message: "Cannot go on" };
  const failed = [step("distillation", 9, 5), { type: "run/failed", at: 6, step: 10, error }];
  assert.match(await told(failed), /^state {3}failed at distillation step 10, after 6 s: E_DIVERGED, Cannot go on$/m);
  const stopped = [
    step("distillation", 3, 5),
    { type: "control/received", at: 5, step: 4, command: { type: "stop" } },
    { type: "run/end", at: 6, steps: 24, reason: "stopped" },
  ];
  assert.match(await told(stopped), /^state {3}stopped at distillation step 4, after 6 s$/m);
  assert.match(await told(stopped), /5 s {2}stop before step 4$/m);
  const killed = [step("distillation", 3, 5)];
  assert.match(await told(killed), /^state {3}ended without a word after distillation step 4: killed, /m);
  assert.match(
    await told(killed, { holder: "process 7" }),
    /^state {3}being trained by process 7; distillation step 4$/m,
  );
  const resumed = await told([...killed, { ...start, at: 0 }, step("distillation", 5, 2)]);
  assert.match(resumed, /^session 1 of 2, 5 s$/m);
  assert.match(resumed, /^session 2 of 2, 2 s$/m);
  assert.match(resumed, /^stages {2}teacher 0\/20, distillation 6\/40$/m);
});

test("what a run has survived is told in words, and counted", async () => {
  const left = (step: number, at: number) => ({
    ...{
      type: "role/left-out",
      at,
      stage: "distillation",
      role: "critic",
      step,
      losses: ["fake-score"],
      gradient: false,
    },
    origin: 'log [3, 1] in loss "mine"',
    policy: "rollback",
    inRow: 1,
  });
  const back = (rate: number, at: number) => ({ type: "run/rolled-back", at, stage: "distillation", step: 4, rate });
  const lost = { type: "device/lost", at: 9, stage: "distillation", step: 4, lost: { stage: "distillation", step: 6 } };
  const weight = { type: "loss/reweighted", at: 9, step: 6, loss: "gan-generator", weight: 0.25 };
  const lines = [
    left(5, 3),
    back(0.5, 4),
    left(7, 5),
    back(0.25, 6),
    { ...lost, reason: "unplugged" },
    left(7, 10),
    weight,
  ];
  const report = await told(lines);
  assert.match(
    report,
    /^ +3 s {2}left out an update of the critic: loss fake-score is NaN or infinite at step 5 of stage distillation; it begins in log \[3, 1\] in loss "mine"$/m,
  );
  assert.match(
    report,
    /^ +4 s {2}went back to step 4 of stage distillation; learning rates are multiplied by 0\.5 from now on$/m,
  );
  assert.match(
    report,
    /^ +9 s {2}the device was lost and is open again; .* step 4 of stage distillation \(unplugged\)$/m,
  );
  assert.match(report, /^ +9 s {2}the weight of loss gan-generator is 0\.25 from step 6 on$/m);
  assert.match(report, /^updates 3 updates were left out: of the critic, loss fake-score not finite$/m);
  assert.match(report, /^ {8}the run went back 2 times; learning rates are × 0\.25 since$/m);
  assert.not.match(await told([]), /^updates/m);
});

test("monitors of a run that are not here are named", async () => {
  const registry = await loadRegistry();
  const monitors = { saturation: {}, mine: {}, off: false };
  assert.equal(missingMonitors({ config: { monitors } }, registry), ["mine"]);
  assert.equal(missingMonitors({ config: {} }, registry), []);
});

test("damaged lines are counted and passed over; events of later versions are shown as they are", async () => {
  const report = await told([
    '{"type":"step/en',
    "42",
    step("distillation", 2, 3),
    { type: "role/left-out", at: 4, role: "critic" },
  ]);
  assert.match(report, /^log {5}2 lines are damaged/m);
  assert.match(report, /^stages .*distillation 3\/40$/m);
  assert.match(report, /4 s {2}role left-out: role critic$/m);
});

test("a folder that is no run, has no log or an unreadable one is refused in one line", async () => {
  const refused = async (given: Record<string, string>, path = "run") =>
    readHistory(memoryFiles(given), path).then(
      () => "told",
      (error) => {
        assert.instance(error, OnestepError);
        return `${error.code}: ${error.message}`;
      },
    );
  const cannot = "E_CHECKPOINT: Cannot tell what happened in run:";
  assert.is(await refused({}), `${cannot} there is no such folder`);
  assert.is(await refused({ "run/notes.txt": "" }), `${cannot} it holds no run`);
  assert.is(
    await refused({ "run/config.json": "{}" }),
    `${cannot} it has no events.jsonl, a run's folder should have one`,
  );
  const nonsense = await refused({ "run/events.jsonl": "abc\n{}\n" });
  assert.is(nonsense, `${cannot} no line of its events.jsonl says that a run began, 2 can't be read`);
});

test("doctor RUN: a folder of 0.1.0 by its losses; a folder without a run", async () => {
  const { code, stdout } = await onestep("doctor", "test/golden/v0.1.0/ring");
  assert.is(code, 0);
  assert.match(stdout, /^stages {2}teacher 6\/6, distillation 6\/6$/m);
  assert.match(stdout, /^health {2}nothing found, in logged losses only: the run took no readings$/m);
  const none = await onestep("doctor", "test/golden");
  assert.is(none.code, 1);
  assert.match(none.stderr, /^error E_CHECKPOINT: Cannot tell what happened in test\/golden: it holds no run$/m);
});

test.run();
