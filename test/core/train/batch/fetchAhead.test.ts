// Training on data that come as promises: a part is fetched while the device works, and nothing else changes.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { failure } from "../../../../core/errors.ts";
import { type Backend, DATASET_SOURCE, type Dataset } from "../../../../core/interfaces/mod.ts";
import { definePlugin } from "../../../../core/plugin/mod.ts";
import { hostRandom } from "../../../../core/random/hostRandom.ts";
import { mergeConfig, Run, type RunRequest, resolveConfig, type TrainEvent } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { registry, stageOf, statesOf, tiny } from "../support.ts";

const test = suite("core/train (batches fetched ahead)");

const POINTS = 50;

/** How the points of a test come. */
interface Delivery {
  /** As promises, after a turn of the event loop. */
  readonly later?: boolean;
  /** With `choose`, so that parts are read one by one. */
  readonly chosen?: boolean;
  /** The point that can't be read. */
  readonly broken?: number;
  readonly log?: (entry: string) => void;
}

/** Fifty points on a line. */
function points({ later, chosen, broken, log = () => {} }: Delivery): Dataset {
  const choose = (count: number, random: () => number) =>
    Int32Array.from({ length: count }, () => Math.floor(POINTS * random()));
  const read = (rows: number[]) => {
    if (rows.includes(broken ?? -1)) throw failure("E_DATA", `Cannot read point ${broken}`);
    const x = Float32Array.from(rows.flatMap((row) => [row / POINTS, 1]));
    log(`read ${rows.length}`);
    return { x, condition: {} };
  };
  return {
    name: "points",
    shape: { sample: [2], condition: {}, sigmaData: 1 },
    size: POINTS,
    ...(chosen && { choose }),
    batch(which, random) {
      const rows = Array.from(typeof which === "number" ? choose(which, random) : which);
      log(`ask ${rows.length}`);
      return later ? new Promise((resolve) => setTimeout(resolve, 1)).then(() => read(rows)) : read(rows);
    },
  };
}

/** A reference device that tells when it computes. */
function telling(log: (entry: string) => void): Backend {
  const backend = new ReferenceBackend();
  const compile = backend.compile.bind(backend);
  backend.compile = async (program, memory) => {
    const executable = await compile(program, memory);
    const run = executable.run.bind(executable);
    executable.run = async (inputs) => {
      if (inputs?.["real.x"]) log("compute");
      await run(inputs);
    };
    return executable;
  };
  return backend;
}

const train = { steps: 5, batch: 4 };
const method = { ttur: { critic: 2 }, teacher: { steps: 3, batch: 4 } };

async function start(delivery: Delivery, more: object = {}, request: Partial<RunRequest> = {}) {
  const plugin = definePlugin({
    name: "points",
    kind: "dataset",
    token: DATASET_SOURCE,
    options: {},
    about: "Points of a test",
    create: async () => points(delivery),
  });
  const config = mergeConfig(tiny, {
    dataset: { use: "points" },
    method,
    train: { ...train, ...more },
  });
  const resolved = resolveConfig(config, registry().register([plugin]));
  const backend = delivery.log ? telling(delivery.log) : new ReferenceBackend();
  const run = await Run.create({ resolved, backend, ...request });
  const events: TrainEvent[] = [];
  run.bus.listen((event) => void events.push(event));
  return { run, events };
}

async function statesAfter(...how: Parameters<typeof start>) {
  const { run } = await start(...how);
  await run.start();
  const states = await statesOf(run);
  await run.dispose();
  return states;
}

for (const accumulate of [1, 2])
  test(`the same bits however the data come, in ${accumulate} parts`, async () => {
    const expected = await statesAfter({}, { accumulate });
    for (const delivery of [{ later: true }, { chosen: true }, { later: true, chosen: true }])
      assert.equal(await statesAfter(delivery, { accumulate }), expected, JSON.stringify(delivery));
  });

test("one part is asked for while the one before is computed, and no more", async () => {
  const log: string[] = [];
  const more = { accumulate: 2, steps: 0 };
  const { run } = await start({ later: true, chosen: true, log: (entry) => log.push(entry) }, more);
  run.bus.on("step/end", ({ step }) => log.push(`end ${step}`));
  await run.trainer.train(stageOf(run.trainer, "teacher"));
  await run.dispose();
  const turn = (step: number, ahead: string[]) => [
    "ask 2",
    "compute",
    "read 2",
    ...ahead,
    "compute",
    ...(ahead.length > 0 ? [`end ${step}`, "read 2"] : [`end ${step}`]),
  ];
  assert.equal(log, ["ask 2", "read 2", ...turn(0, ["ask 2"]), ...turn(1, ["ask 2"]), ...turn(2, [])]);
});

test("a run that was stopped has no batch too many when it goes on", async () => {
  const delivery = { later: true, chosen: true };
  const expected = await statesAfter(delivery);
  for (const cut of [1, 2]) {
    const output = { files: memoryFiles(), path: "out" };
    const { run } = await start(delivery, {}, { output });
    run.bus.on("role/updated", ({ role, step }) => role === "critic" && step === cut && run.stop());
    assert.is((await run.start()).reason, "stopped");
    await run.dispose();
    const resumed = await statesAfter(delivery, {}, { output: { ...output, existing: "resume" } });
    assert.equal(resumed, expected, `stopped after step ${cut}`);
  }
});

test("a sample that can't be read ends the run at its own step", async () => {
  // The first of the critic's batch at step 3.
  const broken = Math.floor(POINTS * hostRandom(0, 3, 3)());
  const ending = async (delivery: Delivery) => {
    const { run, events } = await start({ ...delivery, broken });
    const error = await run.start().catch((reason) => reason);
    await run.dispose();
    const failed = events.find(({ type }) => type === "run/failed") as { step: number };
    return [error.code, error.message, failed?.step];
  };
  const expected = await ending({});
  assert.equal(expected, ["E_DATA", `Cannot read point ${broken}`, 3]);
  assert.equal(await ending({ later: true, chosen: true }), expected);
});

test.run();
