// Judging while a run goes on, and keeping the best weights: it changes nothing, survives a stop, and is refused where it can't be.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { definePlugin, number } from "../../../../core/plugin/mod.ts";
import {
  decodeWeights,
  mergeConfig,
  type RunConfig,
  resolveConfig,
  type TrainEvent,
} from "../../../../core/train/mod.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { registry, statesOf, tiny, tinyRun } from "../support.ts";

const test = suite("core/train/run/selection");

/** Mean |x|, and the same turned round. */
const size = definePlugin({
  name: "size",
  kind: "metric",
  about: "How far samples lie from the origin",
  options: { least: number({ default: 1, about: "samples" }) },
  create: ({ least }) => ({
    name: "size",
    least,
    larger: ["near"],
    begin() {
      let [sum, count] = [0, 0];
      return {
        take({ x }) {
          for (const value of x) sum += Math.abs(value);
          count += x.length;
        },
        result: async () => ({ size: sum / count, near: -sum / count }),
      };
    },
  }),
});

const config = (over: unknown) =>
  resolveConfig(
    mergeConfig(mergeConfig(tiny, { metrics: { size: {} } }), over) as RunConfig,
    registry().register([size]),
  );
const JUDGED = { train: { evaluateEvery: 2, evaluateEveryCount: 5, checkpointEvery: 2 } };

const SHORT = { method: { teacher: { steps: 2 } } };

async function finish(over: unknown, { files = memoryFiles(), stopAt = -1, existing }: Partial<Output> = {}) {
  const { run, events } = await tinyRun(
    {},
    { resolved: config(mergeConfig(SHORT, over)), output: { files, path: "out", existing } },
  );
  run.bus.on("step/end", ({ stage, step }) => {
    if (stage === "distillation" && step === stopAt) run.stop();
  });
  const result = await run.start().catch((error) => error);
  const states = await statesOf(run);
  await run.dispose();
  return { result, states, files, judged: judgedIn(events), events };
}
interface Output {
  readonly files: MemoryFiles;
  readonly stopAt: number;
  readonly existing?: "resume";
}

const judgedIn = (events: readonly TrainEvent[]) => events.filter(({ type }) => type === "learner/judged") as Judged[];
type Judged = Extract<TrainEvent, { type: "learner/judged" }>;
const file = ({ contents }: MemoryFiles, name: string) => contents.get(`out/${name}`);

test("the learner is judged every so many steps and at the end of its stage, and no bit of training depends on it", async () => {
  const plain = await finish({});
  const { states, judged } = await finish(JUDGED);
  assert.equal(states, plain.states);
  const places = judged.map(({ role, step, nfe, count }) => `${role} ${step} ${nfe} ${count}`);
  assert.equal(places, ["teacher 2 5 5", ...[2, 4, 6, 8].map((step) => `generator ${step} 1 5`)]);
  assert.ok(judged.every(({ metrics, seconds, best }) => metrics.size > 0 && seconds >= 0 && !best));
  assert.equal(plain.judged, []);
});

test("the best weights by a number stay beside the last ones, and the report names them", async () => {
  for (const [keepBest, sign] of [
    ["near", 1],
    ["size:largest", -1],
  ] as const) {
    const { judged, files } = await finish({ train: { ...JUDGED.train, keepBest } });
    const own = judged.filter(({ role, step }) => role === "generator" && step > 0);
    const best = own.reduce((a, b) => (sign * b.metrics.size < sign * a.metrics.size ? b : a));
    assert.ok(own.find(({ step }) => step === best.step)?.best, keepBest);
    const stored = decodeWeights(file(files, "generator-best.safetensors")!, "best").info;
    const metric = keepBest.replace(":largest", "");
    assert.equal(stored.best, { metric, value: best.metrics[metric], step: best.step });
    const report = JSON.parse(new TextDecoder().decode(file(files, "report.json")));
    assert.is(report.best.generator.file, "generator-best.safetensors");
    assert.is(report.best.generator.step, best.step);
  }
});

test("a run that was stopped where it is judged, and resumed, keeps what it would have kept", async () => {
  const over = { train: { ...JUDGED.train, keepBest: "size" } };
  const whole = await finish(over);
  const files = memoryFiles();
  assert.is((await finish(over, { files, stopAt: 3 })).result.reason, "stopped");
  const resumed = await finish(over, { files, existing: "resume" });
  assert.equal(resumed.states, whole.states);
  for (const name of ["generator-best.safetensors", "teacher-best.safetensors", "report.json"])
    assert.equal(file(files, name), file(whole.files, name), name);
});

test("what can't be done is refused before the first step", async () => {
  const refused = async (train: object, metrics: object = {}) => {
    const made = tinyRun({}, { resolved: config({ train, metrics }) });
    return made
      .then(({ run }) => run.start())
      .then(
        () => "nothing",
        ({ message }) => message as string,
      );
  };
  assert.match(await refused({ keepBest: "size" }), /keepBest is size, and evaluateEvery is 0/);
  assert.match(await refused({ evaluateEvery: 2 }, { size: false }), /evaluateEvery is 2, and the run has no metric/);
  assert.match(
    await refused({ evaluateEvery: 2, evaluateEveryCount: 3, evaluateCount: 9 }, { size: { least: 4 } }),
    /evaluateEveryCount is 3, the metric size needs at least 4/,
  );
  const { result, events } = await finish({ train: { ...JUDGED.train, keepBest: "sise" } });
  assert.match(result.message, /Cannot keep the best by sise: it is not one of size, near, did you mean "size"/);
  assert.not.ok(events.some(({ type }) => type === "role/updated"));
});

test.run();
