// When checkpoints are written, how many stay, and what a run does when the disk refuses.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failure, type OnestepError } from "../../../../core/errors.ts";
import type { FileSystem } from "../../../../core/io/mod.ts";
import { loadCheckpoint, type Run, type TrainEvent } from "../../../../core/train/mod.ts";
import { CheckpointKeeper } from "../../../../core/train/run/keeper.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { statesOf, tiny, tinyRun } from "../support.ts";

const test = suite("core/train/keeper");

const settings = { checkpointEvery: 0, checkpointMinutes: 0, keep: 3 };
const stages = [{ name: "distillation", steps: 99 }];
const at = (step: number, weights = {}) => ({
  manifest: { stage: "distillation", step, stages, updates: {}, weights, config: tiny },
  states: [{ name: "generator.weights.0", length: 1, read: () => Float32Array.of(step) }],
});
const refusal = (code: string) =>
  failure("E_FILE", "Cannot write: it can't be", { cause: Object.assign(new Error(), { code }), fix: "mend the disk" });
const caught = <T>(promise: Promise<T>) =>
  promise.then(
    () => undefined,
    (error) => error as OnestepError,
  );
const names = async (files: FileSystem) => ((await files.exists("c")) ? files.list("c") : []);

/** A keeper on a disk with room for so many files, which may be changed; and its warnings. */
function keeper(over: Partial<typeof settings> = {}) {
  const memory = memoryFiles();
  const warnings: string[] = [];
  const disk = { room: Number.POSITIVE_INFINITY, refuses: undefined as string | undefined };
  const files: FileSystem = {
    ...memory,
    write: async (path, content) => {
      if (disk.refuses) throw refusal(disk.refuses);
      if (!memory.contents.has(path) && memory.contents.size >= disk.room) throw refusal("ENOSPC");
      await memory.write(path, content);
    },
  };
  const request = {
    files,
    run: "out",
    folder: "c",
    settings: { ...settings, ...over },
    warn: (text: string) => warnings.push(text),
  };
  return { keeper: new CheckpointKeeper(request), files: memory, warnings, disk };
}

test("save: the last ones stay, what stands for the same is not written again, one stays in the end", async () => {
  const { keeper: kept, files } = keeper();
  for (const step of [0, 1, 2, 3, 4]) await kept.save(at(step));
  const last = [2, 3, 4].map((step) => `1-distillation-${step}.safetensors`);
  assert.equal(await names(files), last);
  assert.is(await kept.save(at(4)), undefined);
  assert.ok(await kept.save(at(4, { gan: 0 })), "a weight was changed");
  assert.equal(await names(files), last);
  await kept.finish();
  assert.equal(await names(files), last.slice(2));
  assert.is(kept.newest, "c/1-distillation-4.safetensors");
});

test("isDue: by steps, and by the clock since the last try", async () => {
  const bySteps = keeper({ checkpointEvery: 10 }).keeper;
  assert.equal(
    [9, 10, 11, 20].map((steps) => bySteps.isDue(steps)),
    [false, true, false, true],
  );
  const { keeper: byClock } = keeper({ checkpointMinutes: 0.001 });
  assert.not(byClock.isDue(1));
  await new Promise((resolve) => setTimeout(resolve, 70));
  assert.ok(byClock.isDue(1));
  await byClock.save(at(1));
  assert.not(byClock.isDue(1));
  assert.not(keeper().keeper.isDue(1), "both are off");
});

test("save: a disk that refuses is reported once, and ends the run when it refuses again", async () => {
  const { keeper: kept, files, warnings, disk } = keeper();
  await kept.save(at(0));
  disk.refuses = "EROFS";
  assert.is(await kept.save(at(1)), undefined);
  assert.equal(warnings, [
    "Cannot write: it can't be; it is tried again when the next checkpoint is due, then the run ends",
  ]);
  const error = (await caught(kept.save(at(2))))!;
  assert.is(error.code, "E_FILE");
  assert.is(error.fix, "mend the disk, then go on from c/1-distillation-0.safetensors with --resume");
  assert.is(warnings.length, 1);
  assert.equal(await names(files), ["1-distillation-0.safetensors"]);
});

test("save: a disk that takes the next one is forgiven", async () => {
  const { keeper: kept, warnings, disk } = keeper();
  for (let step = 0; step < 6; step++) {
    disk.refuses = step % 2 === 1 ? "EIO" : undefined;
    await kept.save(at(step));
  }
  assert.is(warnings.length, 3);
});

test("save: the first one, and the last, must succeed", async () => {
  const { keeper: first, disk } = keeper();
  disk.refuses = "EROFS";
  assert.is((await caught(first.save(at(0))))!.fix, "mend the disk");
  const { keeper: last, disk: other } = keeper();
  await last.save(at(0));
  other.refuses = "EROFS";
  assert.is((await caught(last.save(at(1), true)))!.code, "E_FILE");
});

test("save: on a full disk older ones make room, the newest never", async () => {
  const { keeper: kept, files, warnings, disk } = keeper();
  for (const step of [0, 1, 2]) await kept.save(at(step));
  disk.room = 2;
  await kept.save(at(3));
  assert.equal(
    await names(files),
    [2, 3].map((step) => `1-distillation-${step}.safetensors`),
  );
  disk.room = 1;
  await kept.save(at(4));
  assert.is(warnings.length, 1, "there is no room beside the newest");
  assert.equal(await names(files), ["1-distillation-3.safetensors"]);
  assert.is((await caught(kept.save(at(5))))!.code, "E_FILE");
});

/** A run on files that may be changed on the way. */
async function run(over: object, files: FileSystem, at: (run: Run, stage: string, step: number) => void = () => {}) {
  const { run, events } = await tinyRun(over, { output: { files, path: "out" } });
  run.bus.on("step/end", ({ stage, step }) => at(run, stage, step));
  const error = await caught(run.start());
  await run.dispose();
  return { error, events };
}
const savedAt = (events: readonly TrainEvent[]) =>
  events.flatMap((event) =>
    event.type === "checkpoint/saved" ? [event.path.replace(/.*\/(.*)\.safetensors/, "$1")] : [],
  );

test("Run: one before the first update, by the clock in every stage, and after each stage", async () => {
  const files = memoryFiles();
  const wait = (_: Run, stage: string, step: number) => {
    // Blocks, as a long step does.
    if (stage === "distillation" && step === 4) for (const end = performance.now() + 100; performance.now() < end; );
  };
  const { events } = await run({ train: { checkpointMinutes: 0.0015, steps: 8 } }, files, wait);
  const saved = savedAt(events);
  assert.is(saved[0], "1-teacher-0");
  for (const name of ["1-teacher-4", "2-distillation-5", "2-distillation-8"])
    assert.ok(saved.includes(name), `${name}: ${saved}`);
  const order = events.map(({ type }) => type);
  assert.ok(order.indexOf("checkpoint/saved") < order.indexOf("role/updated"));
});

test("Run: what was there before a loss or a gradient that is not finite is kept, and the error names it", async () => {
  const files = memoryFiles();
  const over = {
    losses: { explode: { weight: 1e-30 } },
    train: { steps: 60, checkpointEvery: 5 },
  };
  const boost = (run: Run, stage: string, step: number) => {
    if (stage === "distillation" && step === 10) run.send({ type: "set-weight", loss: "explode", weight: 1e38 });
  };
  const { error, events } = await run(over, files, boost);
  assert.is(error!.code, "E_DIVERGED");
  assert.match(
    error!.message,
    /^Cannot go on training the generator: the gradient norm is NaN or infinite at step 12 of stage distillation; it begins in .*, expected finite numbers$/,
  );
  assert.is(
    error!.fix,
    "lower the learning rate with --set optimizers.generator.lr=RATE, or leave such updates out with --set train.nonFinite=skip, and go on from out/checkpoint/2-distillation-12.safetensors with --resume; `onestep replay out --stage distillation --step 12` shows what happened",
  );
  assert.is(savedAt(events).at(-1), "2-distillation-12");
  const { manifest, states } = await loadCheckpoint(files, "out/checkpoint");
  assert.is(manifest.step, 12);
  assert.ok(Object.values(states).every((values) => values.every(Number.isFinite)));
});

test("Run: weights are written before the last checkpoint, and need not fail with it", async () => {
  const memory = memoryFiles();
  const files: FileSystem = {
    ...memory,
    write: async (path, content) => {
      if (path.includes("distillation-8")) throw refusal("ENOSPC");
      await memory.write(path, content);
    },
  };
  const { error } = await run({}, files);
  assert.is(error!.code, "E_FILE");
  for (const role of ["teacher", "generator", "critic"])
    assert.ok(memory.contents.has(`out/${role}.safetensors`), role);
  assert.equal(await checkpoints(memory), ["1-teacher-4.safetensors"], "older ones have made room, in vain");
});

test("Run: data that can't be read between two steps cost none of them", async () => {
  const files = memoryFiles();
  const over = { dataset: { use: "sides" } };
  const spoil = (run: Run, stage: string, step: number) => {
    if (stage !== "teacher" || step !== 1) return;
    const broken = () => {
      throw failure("E_DATA", "Cannot read picture 7: it is cut");
    };
    Object.assign(run.dataset, { batch: broken });
  };
  const { error, events } = await run(over, files, spoil);
  assert.is(error!.code, "E_DATA");
  // One batch was fetched ahead.
  const [last] = savedAt(events).slice(-1);
  const steps = events.filter(({ type }) => type === "step/end").length;
  assert.is(last, `1-teacher-${steps}`);
  assert.ok(steps > 1 && steps < 4);
  const { run: resumed } = await tinyRun(over, { output: { files, path: "out", existing: "resume" } });
  const { run: whole } = await tinyRun(over);
  for (const each of [resumed, whole]) await each.start();
  assert.equal(await statesOf(resumed), await statesOf(whole));
  for (const each of [resumed, whole]) await each.dispose();
});

test("Run.create: a disk too small for two checkpoints and the weights is refused before training", async () => {
  const memory = memoryFiles();
  const error = (await caught(run({}, { ...memory, space: async () => 1000 })))!;
  assert.is(error.code, "E_FILE");
  assert.match(
    error.message,
    /^Cannot keep a run in out: two checkpoints and the weights need .* its disk has room for 0.0 MiB$/,
  );
  assert.is(memory.contents.size, 0);
});

test("Run: one that has lost its folder to another process writes no more", async () => {
  const memory = memoryFiles();
  const steal = (_: Run, stage: string, step: number) => {
    if (stage === "distillation" && step === 1) memory.contents.set("out/run.lock", Uint8Array.of(1));
  };
  const { error, events } = await run({ train: { checkpointEvery: 1 } }, memory, steal);
  assert.is(error!.code, "E_RUN_EXISTS");
  assert.is(savedAt(events).at(-1), "2-distillation-1");
  assert.ok(memory.contents.has("out/run.lock"), "the other's claim stays");
});

const checkpoints = async (files: MemoryFiles) =>
  (await files.list("out/checkpoint")).filter((name) => /^\d/.test(name));

test.run();
