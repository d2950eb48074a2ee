// Runs that several ranks share, in one process: the same bits as one rank with as many parts, and one that decides for all.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import { failure, type OnestepError } from "../../../../core/errors.ts";
import type { Program } from "../../../../core/graph/mod.ts";
import { type Backend, type Collective, DATASET, type Memory } from "../../../../core/interfaces/mod.ts";
import {
  composeRun,
  EventBus,
  loadCheckpoint,
  Ranks,
  type RunRequest,
  type RunResult,
  Trainer,
} from "../../../../core/train/mod.ts";
import { largestError } from "../../../helpers/close.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { onRanks } from "../../../helpers/ranksInOneProcess.ts";
import { beginAll, lossesOn, statesOf, tinyConfig, tinyRun } from "../support.ts";

const test = suite("core/train/ranks");

/** A class-conditional run with everything that draws and decides: GAN, penalty, three rungs, scales of guidance, teacher, kept images. */
const over = (accumulate: number, more: object = {}) => ({
  dataset: { use: "sides" },
  network: { labelDropout: 0.1 },
  generator: { sigmas: [5, 1, 0.2], guidanceScale: 1, guidanceMax: 4 },
  losses: { "gan-discriminator": { r1: 1 } },
  optimizers: { generator: { clip: 0.05 }, critic: { clip: 0.05 } },
  method: { teacher: { steps: 2, batch: 12 } },
  train: { steps: 4, batch: 12, accumulate, ...more },
});

const text = (files: MemoryFiles, path: string) => new TextDecoder().decode(files.contents.get(path));

interface Outcome {
  readonly states: Record<string, number[]>;
  readonly losses: Record<string, number[]>;
  readonly result: RunResult;
  readonly events: readonly string[];
}

/** Weights, moments and averages at the end of a run, and its readings. */
async function outcome(settings: object, request: Partial<RunRequest> = {}): Promise<Outcome> {
  const { run, events } = await tinyRun(settings, { backend: new ReferenceBackend(), ...request });
  const losses = lossesOn(run.bus);
  const result = await run.start();
  const states = Object.entries(await statesOf(run)).filter(([name]) => !/gradient|readings/.test(name));
  const read = await losses();
  await run.dispose();
  return { states: Object.fromEntries(states), losses: read, result, events: events.map(({ type }) => type) };
}

const shared = (
  size: number,
  settings: object,
  request: (collective: Collective) => Partial<RunRequest> = () => ({}),
) => onRanks(size, (collective) => outcome(settings, { collective, ...request(collective) }));

for (const [size, parts] of [
  [2, 2],
  [3, 3],
  [4, 4],
  [2, 4],
  [3, 4],
])
  test(`${size} ranks have the bits of one rank with ${parts} parts`, async () => {
    const alone = await outcome(over(parts));
    for (const each of await shared(size, over(parts))) {
      assert.equal(each.states, alone.states);
      assert.equal(each.losses, alone.losses);
    }
  });

/** Notes when sums are begun. */
const withLog = (collective: Collective, told: string[]): Collective => ({
  ...collective,
  allReduce: (values, options) => {
    told.push("sum");
    return collective.allReduce(values, options);
  },
});

/** Notes when parts of a batch are computed. */
const withLoggedRuns = (backend: Backend, told: string[]): Backend =>
  new Proxy(backend, {
    get(target, name) {
      if (name === "compile")
        return async (program: Program, memory: Memory) => {
          const executable = await target.compile(program, memory);
          const run = executable.run.bind(executable);
          if (program.name.endsWith(" part"))
            executable.run = (inputs, onState) => run(inputs, onState).then(() => void told.push("part"));
          return executable;
        };
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

test("stretches of a gradient are on their way before the part is computed, and the bits stay", async () => {
  const train = async (collective?: Collective, told: string[] = []) => {
    const resolved = tinyConfig(over(4));
    const backend = await WasmBackend.open({ threads: 1 });
    const ranks = new Ranks(collective && withLog(collective, told));
    ranks.bucket = 50;
    const container = await composeRun(resolved, backend, {});
    const watched = withLoggedRuns(backend, told);
    const trainer = new Trainer(container, watched, container.get(DATASET), new EventBus(), resolved.settings, {
      ranks,
    });
    await beginAll(trainer);
    for (const stage of trainer.method.stages) {
      await trainer.prepare(stage);
      await trainer.train(stage);
    }
    const found: Record<string, number[]> = {};
    for (const { sources } of Object.values(trainer.players))
      for (const { name, read } of sources) found[name] = [...(await read())];
    trainer.dispose();
    await backend.close();
    return found;
  };
  const alone = await train();
  const told: string[] = [];
  const [first, second] = await onRanks(2, (each) => train(each, each.rank === 0 ? told : []));
  assert.equal(first, alone);
  assert.equal(second, alone);
  // Several stretches of each part; only the readings wait for its end.
  assert.match(told.join(" "), /^((sum ){2,}part sum ?)+$/);
});

test("without a number of parts every rank has one, and the folder says so", async () => {
  const files = memoryFiles();
  const alone = await outcome(over(2));
  const two = await shared(2, over(1), ({ rank }) => (rank === 0 ? { output: { files, path: "out" } } : {}));
  assert.equal(two[1].states, alone.states);
  assert.equal(JSON.parse(text(files, "out/config.json")).train.accumulate, 2);
});

test("sums in the order of the library are those of the whole batch within rounding, and alike on all ranks", async () => {
  const alone = await outcome(over(4));
  const [first, second] = await shared(2, over(4, { sumOrder: "library" }));
  assert.equal(second.states, first.states);
  for (const [name, values] of Object.entries(first.states)) {
    const error = largestError(values, alone.states[name]);
    assert.ok(error < 1e-5, `${name}: off by ${error}`);
  }
});

test("more ranks than parts are refused on every rank with one message", async () => {
  const refused = await shared(3, over(2)).catch((error) => error);
  assert.is(refused.code, "E_OPTION");
  assert.is(
    refused.message,
    "Cannot share a batch among 3 ranks: it has 2 parts (train.accumulate), should have 3 or more",
  );
  const uneven = await shared(5, over(1)).catch((error) => error);
  assert.match(uneven.message, /accumulate is 5, should divide the batch/);
});

test("ranks that disagree hear from rank 0 which one does, and nothing is written", async () => {
  const files = memoryFiles();
  const disagree = async (wrong: Partial<RunRequest>) => {
    const errors = await onRanks(3, (collective) =>
      tinyRun(over(3), {
        collective,
        place: `host-${collective.rank}`,
        version: "1.2.3",
        ...(collective.rank === 0 && { output: { files, path: "out" } }),
        ...(collective.rank === 2 && wrong),
      }).then(
        () => "made",
        ({ code, message }) => `${code} ${message}`,
      ),
    );
    assert.equal(new Set(errors).size, 1);
    assert.equal([...files.contents.keys()], []);
    return errors[0];
  };
  assert.is(
    await disagree({ resolved: tinyConfig(over(3, { seed: 7 })) }),
    "E_RANKS Cannot share the run: rank 2 on host-2 has train.seed 7, rank 0 has 0; all should have the same config",
  );
  assert.is(
    await disagree({ version: "1.2.4" }),
    "E_RANKS Cannot share the run: rank 2 on host-2 is onestep 1.2.4, rank 0 is 1.2.3; all should be of one version",
  );
});

test("a run of four ranks goes on with three, and ends with the bits of one that was not stopped", async () => {
  const whole = await outcome(over(4));
  const files = memoryFiles();
  const run = (size: number, existing?: "resume", stopAt?: number) =>
    onRanks(size, async (collective) => {
      const output = collective.rank === 0 ? { files, path: "out", existing } : undefined;
      const { run } = await tinyRun(over(4), { collective, output });
      // A stop that only another rank hears of is no stop.
      run.bus.on("step/end", ({ stage, step }) => {
        if (stage === "distillation" && step === (collective.rank === 0 ? stopAt : 0)) run.stop();
      });
      const { reason } = await run.start();
      const states = await statesOf(run);
      await run.dispose();
      return { reason, states };
    });
  for (const { reason } of await run(4, undefined, 1)) assert.is(reason, "stopped");
  for (const { reason, states } of await run(3, "resume")) {
    assert.is(reason, "complete");
    for (const [name, values] of Object.entries(whole.states)) assert.equal(states[name], values, name);
  }
});

test("turns that wait are taken alike by all ranks, also where they go on", async () => {
  const waiting = (more: object = {}) => ({
    ...over(2, { steps: 12, ...more }),
    method: { ttur: { critic: 1 }, waits: { lag: 1e-3, most: 4 }, teacher: { steps: 2, batch: 12 } },
  });
  const whole = await outcome(waiting());
  const updates = ({ events }: Outcome) => events.filter((type) => type === "role/updated").length;
  assert.ok(updates(whole) > 2 + 12 + 2 && updates(whole) < 2 + 12 + 11, `${updates(whole)} updates`);
  for (const each of await shared(2, waiting())) assert.equal(each.states, whole.states);
  // Stopped while the generator waits.
  for (const stopAt of [5, 6]) {
    const files = memoryFiles();
    const run = (existing?: "resume") =>
      onRanks(2, async (collective) => {
        const output = collective.rank === 0 ? { files, path: "out", existing } : undefined;
        const { run } = await tinyRun(waiting(), { collective, output });
        run.bus.on("step/end", ({ stage, step }) => {
          if (stage === "distillation" && step === stopAt && !existing) run.stop();
        });
        await run.start();
        const states = await statesOf(run);
        await run.dispose();
        return states;
      });
    await run();
    for (const states of await run("resume"))
      for (const [name, values] of Object.entries(whole.states)) assert.equal(states[name], values, name);
  }
});

test("a rank whose data can't be read ends the run on all with its name, and what was done before is kept", async () => {
  const whole = await outcome(over(3));
  const files = memoryFiles();
  const errors = await onRanks(3, async (collective) => {
    const output = collective.rank === 0 ? { files, path: "out" } : undefined;
    const { run } = await tinyRun(over(3), { collective, output, place: "there" });
    let broken = false;
    run.bus.on("step/end", ({ stage, step }) => {
      broken ||= stage === "distillation" && step === 1 && collective.rank === 2;
    });
    const { batch } = run.dataset;
    run.dataset.batch = (...given) => {
      if (broken) throw failure("E_DATA", "Cannot read 7.png: it ends too soon");
      return batch.apply(run.dataset, given);
    };
    const error: OnestepError = await run.start().catch((reason) => reason);
    await run.dispose();
    return error;
  });
  for (const { code, message } of errors) {
    assert.is(code, "E_DATA");
    assert.is(message, "rank 2 on there: Cannot read 7.png: it ends too soon");
  }
  const { manifest } = await loadCheckpoint(files, "out/checkpoint");
  // The generator has had its turn of step 3, and the critic is to see the images that all ranks have kept of it.
  assert.equal([manifest.stage, manifest.step, manifest.turn], ["distillation", 3, 1]);
  const output = { files, path: "out", existing: "resume" } as const;
  const [first] = await shared(2, over(3), ({ rank }) => (rank === 0 ? { output } : {}));
  assert.equal(first.states, whole.states);
});

test.run();
