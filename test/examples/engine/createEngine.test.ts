import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import type { TrainEvent } from "../../../core/train/mod.ts";
import { createEngine, type Engine, type EngineOptions } from "../../../examples/engine/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";
import { tinyRun } from "./tinyRun.ts";

const test = suite("engine/createEngine");

const files = memoryFiles();
let engine: Engine;
let weights: Uint8Array;
test.before(async () => {
  engine = await createEngine({ device: "wasm", threads: 1, files });
  const training = await engine.train(tinyRun(), { out: "run" });
  await training.start();
  weights = await training.weights();
  await training.dispose();
});
test.after(() => engine.dispose());

test("a run is trained, told of and judged; its generator is sampled as what its folder and its bytes hold", async () => {
  const training = await engine.train(tinyRun());
  const seen: TrainEvent["type"][] = [];
  const listened: TrainEvent["type"][] = [];
  let steps = 0;
  training.events.subscribe(({ type }) => listened.push(type));
  training.on("step/end", () => steps++);
  for await (const { type } of training) seen.push(type);
  assert.equal([seen[0], seen.at(-1), steps], ["run/start", "run/end", 6]);
  assert.equal(seen, listened);
  const { reason, judgements } = await training.start();
  assert.is(reason, "complete");
  assert.equal(
    judgements.map(({ who }) => who),
    ["data", "teacher", "generator"],
  );
  const [now, stored, read] = [await training.model(), await engine.load("run"), await engine.load(weights)];
  await training.dispose();
  const drawn = await Promise.all([now, stored, read].map((model) => model.sample({ count: 5, seed: 7 })));
  assert.equal(drawn[0].shape, [5, 2]);
  assert.is(drawn[0].nfe, 1);
  assert.equal(drawn[1].x, drawn[0].x);
  assert.equal(drawn[2].x, drawn[0].x);
  for (const model of [now, stored, read]) await model.dispose();
});

test("a model judges itself as its run has", async () => {
  const report = JSON.parse(new TextDecoder().decode(files.contents.get("run/report.json")));
  const model = await engine.load("run");
  assert.equal(await model.evaluate(), report.judgements[2]);
  const other = await model.evaluate({ count: 32, metrics: { "gaussian-modes": { directions: 4 } } });
  assert.equal([other.count, Object.keys(other.metrics).length], [32, 6]);
  await model.dispose();
});

test("calls that overlap are served in turn, each as if it were alone", async () => {
  const model = await engine.load(weights, { batch: 4 });
  const alone = await model.sample({ count: 6, seed: 1 });
  const many = await Promise.all([1, 2, 1, 3].map((seed) => model.sample({ count: 6, seed })));
  assert.equal(many[0].x, alone.x);
  assert.equal(many[2].x, alone.x);
  assert.not.equal(many[1].x, alone.x);
  const portions = [];
  for await (const { x } of model.portions({ count: 6, seed: 1 })) portions.push([...x]);
  assert.equal(
    portions.map(({ length }) => length),
    [8, 4],
  );
  assert.equal(portions.flat(), [...alone.x]);
  await model.dispose();
});

test("a reader who leaves in the middle lets others in, and one that is aborted in the line leaves it", async () => {
  const model = await engine.load(weights, { batch: 2 });
  const reader = model.portions({ count: 6 });
  await reader.next();
  const controller = new AbortController();
  const waiting = rejected(model.sample({ signal: controller.signal }));
  const behind = model.sample({ count: 1 });
  controller.abort();
  assert.is((await waiting).code, "E_ABORTED");
  await reader.return();
  assert.equal((await behind).shape, [1, 2]);
  await model.dispose();
});

test("aborted: sampling and loading end with E_ABORTED and leave nothing on the device", async () => {
  const before = engine.backend.liveBytes;
  const model = await engine.load("run", { role: "generator", batch: 1 });
  const controller = new AbortController();
  const { signal } = controller;
  let done = 0;
  const onProgress = () => {
    if (++done === 3) controller.abort(new Error("enough"));
  };
  const error = await rejected(model.sample({ count: 50, signal, onProgress }));
  assert.equal([error.code, done], ["E_ABORTED", 3]);
  assert.is(error.message, "Cannot sample: its signal was aborted, the reason given is: enough");
  await model.dispose();
  assert.is((await rejected(engine.load("run", { signal }))).code, "E_ABORTED");
  const later = new AbortController();
  const loading = rejected(engine.load("run", { signal: later.signal }));
  later.abort();
  assert.is((await loading).code, "E_ABORTED");
  assert.is(engine.backend.liveBytes, before);
});

test("aborted: a run ends after the step that is on, and its folder goes on from there with the same bits", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const training = await engine.train(tinyRun(), { out: "aborted", signal });
  training.on("step/end", ({ step }) => step === 2 && controller.abort());
  assert.is((await rejected(training.start())).code, "E_ABORTED");
  await training.dispose();
  assert.not.ok(files.contents.has("aborted/report.json"));
  const resumed = await engine.train(tinyRun(), { out: "aborted", existing: "resume" });
  let steps = 0;
  resumed.on("step/end", () => steps++);
  assert.is((await resumed.start()).reason, "complete");
  assert.is(steps, 3);
  await resumed.dispose();
  const [whole, halved] = ["run", "aborted"].map((run) => files.contents.get(`${run}/generator.safetensors`)!);
  assert.equal(halved, whole);
});

test("aborted while it is made, a run leaves no folder behind", async () => {
  const controller = new AbortController();
  const making = rejected(engine.train(tinyRun(), { out: "never", signal: controller.signal }));
  controller.abort();
  assert.is((await making).code, "E_ABORTED");
  assert.not.ok(await files.exists("never"));
});

test("a slow reader hears of what was left out, and of the end", async () => {
  const { eventsOf } = await import("../../../examples/engine/eventQueue.ts");
  const training = await engine.train(tinyRun());
  const events = eventsOf(training.run.bus, ["step/end", "run/end"], 4);
  await training.start();
  const seen: TrainEvent[] = [];
  for await (const event of events) seen.push(event);
  await training.dispose();
  assert.equal(
    seen.map(({ type }) => type),
    ["run/warning", "step/end", "step/end", "step/end", "run/end"],
  );
  assert.match((seen[0] as { message?: string }).message ?? "", /the oldest 3 are left out/);
});

test("two engines do not see each other: plugins of one name, devices of their own, at once as alone", async () => {
  const { definePlugin, number } = await import("../../../core/plugin/mod.ts");
  const own = (factor: number) =>
    definePlugin({
      name: "own",
      kind: "metric",
      about: "The mean of all values, times a number of its maker's",
      options: { shift: number({ default: 0, about: "added to it" }) },
      create: ({ shift }) => ({
        name: "own",
        begin() {
          let [sum, count] = [0, 0];
          return {
            take({ x }) {
              for (const value of x) sum += value;
              count += x.length;
            },
            result: async () => ({ own: (factor * sum) / count + shift }),
          };
        },
      }),
    });
  const trained = async (options: EngineOptions, factor: number) => {
    await using each = await createEngine({ ...options, plugins: [...allPlugins, own(factor)] });
    const training = await each.train(tinyRun(4, { metrics: { own: {} } }));
    const { judgements } = await training.start();
    return { judgements, weights: await training.weights() };
  };
  const wasm = () => trained({ device: "wasm", threads: 1 }, 2);
  const reference = () => trained({ device: new ReferenceBackend() }, 3);
  const alone = [await wasm(), await reference()];
  const together = await Promise.all([wasm(), reference(), wasm()]);
  assert.equal(together, [...alone, alone[0]]);
  const [data, other] = alone.map(({ judgements }) => judgements[0].metrics.own);
  assert.ok(Math.abs(other / data - 1.5) < 1e-6);
});

test("disposed while a reader holds portions and others wait: nobody hangs, and the memory is back", async () => {
  const before = engine.backend.liveBytes;
  const model = await engine.load(weights, { batch: 1 });
  const reader = model.portions({ count: 3 });
  await reader.next();
  const waiting = rejected(model.sample());
  await model.dispose();
  assert.is((await waiting).code, "E_DISPOSED");
  assert.is((await rejected(reader.next())).code, "E_DISPOSED");
  assert.is(engine.backend.liveBytes, before);
});

test("disposed while it draws, a model ends the call that is on first", async () => {
  const model = await engine.load(weights);
  let disposing: Promise<void> | undefined;
  const onProgress = () => {
    disposing ??= model.dispose();
  };
  const { shape } = await model.sample({ count: 4, onProgress });
  assert.equal(shape, [4, 2]);
  await disposing;
  assert.is((await rejected(model.sample())).code, "E_DISPOSED");
});

test("a model that is asked for before its run is disposed, and not waited for, is made", async () => {
  const made = async () => {
    await using training = await engine.train(tinyRun(1));
    await training.start();
    return training.model();
  };
  const model = await made();
  assert.equal((await model.sample()).shape, [1, 2]);
  await model.dispose();
});

test("disposed: nothing goes on, a backend that was given stays open, and device memory is back", async () => {
  const backend = new ReferenceBackend();
  const each = await createEngine({ device: backend });
  const model = await each.load(weights);
  const training = await each.train(tinyRun());
  await each.dispose();
  await each.dispose();
  assert.is(backend.liveBytes, 0);
  const calls = [model.sample(), training.start(), training.model(), each.load(weights), each.train(tinyRun())];
  for (const call of calls) assert.is((await rejected(call)).code, "E_DISPOSED");
  const again = await createEngine({ device: backend });
  assert.equal((await (await again.load(weights)).sample()).shape, [1, 2]);
  await again.dispose();
});

test.run();
