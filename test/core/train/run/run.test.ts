// Whole runs of the 2-D mixture, a few steps each: what a folder holds at the end, and what an interruption changes.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { OnestepError } from "../../../../core/errors.ts";
import {
  type Command,
  decodeWeights,
  loadCheckpoint,
  type Manifest,
  Run,
  type RunResult,
  saveCheckpoint,
  type TrainEvent,
} from "../../../../core/train/mod.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { statesOf, tinyConfig, tinyRun } from "../support.ts";

const test = suite("core/train/run");

const PLAIN = {};
const LABELLED = { dataset: { use: "sides" } };
/** A guidance scale of each image's own, which the critic hears with it. */
const SCALED = {
  ...LABELLED,
  network: { labelDropout: 0.1 },
  generator: { guidanceScale: 1, guidanceMax: 4 },
};

/** Runs to the end, doing `at` after each step; the step is that of its stage. */
async function finish(
  over: unknown,
  at: (stage: string, step: number, run: Run) => void = () => {},
  output?: { files: MemoryFiles; existing?: "resume" | "replace" },
) {
  const { run, events } = await tinyRun(over, output && { output: { ...output, path: "out" } });
  run.bus.on("step/end", ({ stage, step }) => at(stage, step, run));
  const result: RunResult | OnestepError = await run.start().catch((error) => error);
  const states = await statesOf(run);
  const updates = Object.values(run.trainer.players).map(({ updates }) => updates);
  await run.dispose();
  return { result, states, events, updates };
}

/** The run that others are compared with, and its folder: computed once. */
const uninterrupted = new Map<unknown, ReturnType<typeof wholeRun>>();
async function wholeRun(over: unknown) {
  const files = memoryFiles();
  return { files, ...(await finish(over, undefined, { files })) };
}
function whole(over: unknown = PLAIN): ReturnType<typeof wholeRun> {
  let run = uninterrupted.get(over);
  if (!run) {
    run = wholeRun(over);
    uninterrupted.set(over, run);
  }
  return run;
}
/** A copy of the folder of such a run. */
const finished = async () => memoryFiles(Object.fromEntries((await whole()).files.contents));

const count = (events: readonly TrainEvent[], type: TrainEvent["type"]) =>
  events.filter((event) => event.type === type).length;
/** Who had the turns, in order. */
const turnsIn = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.type === "role/updated" ? [event.role] : []));
const turnsOf = (role: string, events: readonly TrainEvent[]) => turnsIn(events).filter((each) => each === role).length;
const text = (files: MemoryFiles, path: string) => new TextDecoder().decode(files.contents.get(path));
const failed = async (attempt: Promise<unknown>) => {
  const error = await attempt.then(
    () => undefined,
    (reason) => reason,
  );
  assert.instance(error, OnestepError);
  return error as OnestepError;
};

test("Run: the same seed gives the same bits, another seed others", async () => {
  const first = await whole();
  const again = await finish({});
  assert.equal(again.states, first.states);
  assert.equal(again.result, first.result);
  const other = await finish({ train: { seed: 1 } });
  for (const name of ["teacher.weights.0", "generator.average.0", "critic.moment2.0"])
    assert.not.equal(other.states[name], first.states[name], name);
});

test("Run: two time-scales: the generator moves every third step here", async () => {
  const { events, updates } = await whole();
  assert.equal(updates, [4, 3, 8]);
  const who = turnsIn(events)
    .map((role) => role[0])
    .join("");
  assert.is(who, "tttt" + "gc" + "c" + "c" + "gc" + "c" + "c" + "gc" + "c");
});

test("Run: events from start to end, in order", async () => {
  const files = memoryFiles();
  const { events } = await finish(
    { train: { steps: 2, checkpointEvery: 1 }, method: { teacher: { steps: 1 } } },
    undefined,
    { files },
  );
  const told = events.map(({ type }) => type);
  assert.equal(
    told.filter((type) => type !== "work/progressed"),
    [
      "run/start",
      "checkpoint/saved",
      "device/read",
      "role/updated",
      "step/end",
      "checkpoint/saved",
      "health/read",
      "device/read",
      "role/updated",
      "role/updated",
      "step/end",
      "control/received",
      "checkpoint/saved",
      "role/updated",
      "step/end",
      "checkpoint/saved",
      "sample/drawn",
      "sample/drawn",
      "samples/judged",
      "samples/judged",
      "samples/judged",
      "run/end",
    ],
  );
  assert.equal(turnsIn(events), ["teacher", "generator", "critic", "critic"]);
  assert.equal((events[0] as { stages: unknown }).stages, [
    { name: "teacher", steps: 1 },
    { name: "distillation", steps: 2 },
  ]);
});

test("Run: a folder holds config, weights, checkpoint and report", async () => {
  const { files, result } = await whole();
  assert.equal([...files.contents.keys()].sort(), [
    "out/checkpoint/2-distillation-8.safetensors",
    "out/config.json",
    "out/critic.safetensors",
    "out/generator.safetensors",
    "out/report.json",
    "out/run.json",
    "out/teacher.safetensors",
  ]);
  const { config } = tinyConfig();
  assert.equal(JSON.parse(text(files, "out/config.json")), JSON.parse(JSON.stringify(config)));
  const { judgements } = result as RunResult;
  assert.equal(JSON.parse(text(files, "out/report.json")).judgements, judgements);
  const { info, tensors } = decodeWeights(files.contents.get("out/generator.safetensors")!, "g");
  assert.is(info.role, "generator");
  assert.equal(info.data, { sample: [2], condition: {}, sigmaData: 0.7 });
  assert.equal(Object.keys(tensors).sort(), ["net.0.bias", "net.0.weight", "out.bias", "out.weight"]);
});

test("Run: judges data, teacher and generator, with their cost", async () => {
  const { result } = await whole();
  assert.equal(
    (result as RunResult).judgements.map(({ who, nfe, count }) => [who, nfe, count]),
    [
      ["data", 0, 10],
      ["teacher", 5, 10],
      ["generator", 1, 10],
    ],
  );
});

test("Run: drawing samples on the way changes nothing", async () => {
  const plain = await whole();
  const { run } = await tinyRun();
  await run.draw("generator", 3, 1);
  await run.start();
  assert.equal(await statesOf(run), plain.states);
  const few = await run.draw("teacher", 3, 7);
  const many = await run.draw("teacher", 10, 7);
  assert.equal([...many.x.subarray(0, 6)], [...few.x]);
});

// Steps 3 and 6 begin with the generator's turn, whose images the critic's turn takes over.
for (const [over, stage, step] of [
  [PLAIN, "teacher", 0],
  [PLAIN, "teacher", 3],
  [PLAIN, "distillation", 2],
  [PLAIN, "distillation", 3],
  [PLAIN, "distillation", 7],
  [LABELLED, "teacher", 1],
  [LABELLED, "distillation", 2],
  [LABELLED, "distillation", 4],
  [SCALED, "distillation", 3],
] as const) {
  const data = over === PLAIN ? "without classes" : over === LABELLED ? "with classes" : "with guidance scales";
  test(`Run: stopped after ${stage} step ${step} and resumed, it ends as if it had not been (${data})`, async () => {
    const expected = await whole(over);
    const files = memoryFiles();
    const stopAt = (at: string, done: number, run: Run) => {
      if (at === stage && done === step) run.stop();
    };
    const stopped = await finish(over, stopAt, { files });
    // After the last step too: then what is left is the judging.
    assert.is((stopped.result as RunResult).reason, "stopped");
    const { steps } = stopped.events.at(-1) as { steps: number };
    assert.is(steps, (stage === "teacher" ? 0 : 4) + step + 1);
    const resumed = await finish(over, undefined, { files, existing: "resume" });
    assert.equal(resumed.result, expected.result);
    assert.equal(resumed.states, expected.states);
    assert.equal(resumed.updates, expected.updates);
    assert.equal([...files.contents.keys()].sort(), [...expected.files.contents.keys()].sort());
    for (const [path, bytes] of expected.files.contents) assert.equal(files.contents.get(path), bytes, path);
  });
}

test("Run: a stop is heard while samples are judged; resumed, they are judged as if it had not been", async () => {
  const files = memoryFiles();
  const { run } = await tinyRun({}, { output: { files, path: "out" } });
  const told: string[] = [];
  run.bus.on("work/progressed", ({ what }) => {
    told.push(what);
    if (what === "judging the generator") run.stop();
  });
  const { reason, judgements } = await run.start();
  await run.dispose();
  assert.equal([reason, judgements], ["stopped", []]);
  assert.equal([...new Set(told)], ["judging real data", "judging the teacher", "judging the generator"]);
  assert.is(told.filter((what) => what === "judging the generator").length, 1, "ended at once");
  assert.not.ok(files.contents.has("out/report.json"));
  const resumed = await finish({}, undefined, { files, existing: "resume" });
  assert.equal(resumed.result, (await whole()).result);
  assert.equal(text(files, "out/report.json"), text((await whole()).files, "out/report.json"));
});

test("Run: stopped before it starts, it has still a checkpoint", async () => {
  const files = memoryFiles();
  const { run } = await tinyRun({}, { output: { files, path: "out" } });
  run.stop();
  assert.is((await run.start()).reason, "stopped");
  const resumed = await finish({}, undefined, { files, existing: "resume" });
  assert.equal(resumed.states, (await whole()).states);
});

test("Run: a resumed run keeps the weights that commands have given to losses", async () => {
  const turnOff = (stage: string, step: number, run: Run) => {
    const command: Command = { type: "set-weight", loss: "gan-generator", weight: 0 };
    if (stage === "distillation" && step === 1) run.send(command);
    if (stage === "distillation" && step === 5) run.send({ ...command, weight: 0.5 });
  };
  const expected = await finish({}, turnOff);
  assert.not.equal(expected.states, (await whole()).states);
  for (const cut of [2, 5]) {
    const files = memoryFiles();
    const stop = (stage: string, step: number, run: Run) => {
      turnOff(stage, step, run);
      if (stage === "distillation" && step === cut) run.stop();
    };
    await finish({}, stop, { files });
    const again = (stage: string, step: number, run: Run) => {
      if (step > cut) turnOff(stage, step, run);
    };
    const resumed = await finish({}, again, { files, existing: "resume" });
    assert.equal(resumed.states, expected.states, `stopped after step ${cut}`);
  }
});

test("Run: a loss can't be given a weight it has no place for", async () => {
  const command: Command = { type: "set-weight", loss: "gan-generatr", weight: 1 };
  const { events } = await finish({}, (_, step, run) => step === 0 && run.send(command));
  const warning = events.find(({ type }) => type === "run/warning") as { message: string };
  assert.match(warning.message, /"gan-generatr": it is not one of .*did you mean "gan-generator"\?$/);
});

test("Run: a finished run is resumed as finished: judged again, not trained", async () => {
  const first = await whole();
  const files = await finished();
  const before = new Map(files.contents);
  const { result, events, states } = await finish({}, undefined, { files, existing: "resume" });
  assert.equal(result, first.result);
  assert.equal(states, first.states);
  assert.is(turnsIn(events).length, 0);
  assert.is((events.at(-1) as { steps: number }).steps, 12);
  assert.equal(files.contents, before);
});

test("Run: a finished run that is given more steps goes on", async () => {
  const constant = { optimizers: { critic: { decay: "none" } } };
  const longer = { ...constant, train: { steps: 11 } };
  const expected = await finish(longer);
  const files = memoryFiles();
  await finish(constant, undefined, { files });
  const { states, events } = await finish(longer, undefined, { files, existing: "resume" });
  assert.is(turnsOf("critic", events), 3);
  assert.is(JSON.parse(text(files, "out/config.json")).train.steps, 11, "it resumes as this");
  assert.equal(states, expected.states);
});

test("Run.create: a folder that holds a run is an error, and is left as it is", async () => {
  const files = await finished();
  const before = new Map(files.contents);
  const output = { files, path: "out" };
  const error = await failed(tinyRun({}, { output }));
  assert.is(error.code, "E_RUN_EXISTS");
  assert.is(error.message, "Cannot start a run in out: it already holds one");
  assert.equal(files.contents, before);
});

test("Run.create: replaces a run when told to, and keeps the user's own files", async () => {
  const files = await finished();
  await files.append("out/notes.txt", "mine");
  const over = { train: { seed: 5, steps: 3 }, method: { teacher: { steps: 2 } } };
  const { result } = await finish(over, undefined, { files, existing: "replace" });
  assert.is((result as RunResult).reason, "complete");
  assert.is(JSON.parse(text(files, "out/config.json")).train.seed, 5);
  assert.is(text(files, "out/notes.txt"), "mine");
  assert.equal(await files.list("out/checkpoint"), ["2-distillation-3.safetensors"]);
});

test("Run.create: what cannot work is found before anything is written or replaced", async () => {
  const files = await finished();
  const before = new Map(files.contents);
  for (const [over, code] of [
    [{ losses: { mine: { use: "pair" } } }, "E_SHAPE"],
    [{ optimizers: { critic: false } }, "E_CONFIG"],
    [{ losses: { "fake-score": false, "gan-discriminator": false } }, "E_CONFIG"],
    [{ critic: false }, "E_CONFIG"],
    [{ critic: { head: false } }, "E_OPTION"],
    [{ losses: { "edm-denoising": false } }, "E_CONFIG"],
  ] as const) {
    const output = { files, path: "out", existing: "replace" } as const;
    assert.is((await failed(tinyRun(over, { output }))).code, code);
    assert.equal(files.contents, before);
  }
});

test("Run.create: resuming needs a run, a checkpoint, and the network it belongs to", async () => {
  const files = memoryFiles();
  const output = { files, path: "out", existing: "resume" } as const;
  const none = await failed(tinyRun({}, { output }));
  assert.is(none.code, "E_CHECKPOINT");
  assert.is(none.message, "Cannot resume out: it holds no run");
  for (const [path, bytes] of (await whole()).files.contents) await files.write(path, bytes);
  const before = new Map(files.contents);
  const wider = await failed(tinyRun({ network: { width: 20 } }, { output }));
  assert.is(wider.code, "E_CONFIG");
  assert.is(wider.message, "Cannot resume out: network.width is 20, it began with 6, should be the same");
  assert.match(wider.fix, /leave network.width as it was, or start another run/);
  const averaged = { averages: { "generator/slow": { use: "ema", halfLife: 9 } } };
  const more = await failed(tinyRun(averaged, { output }));
  assert.is(more.code, "E_CONFIG");
  assert.match(more.message, /^Cannot go on training the generator: missing generator.average\/slow.0/);
  assert.equal(files.contents, before);
  await files.remove("out/checkpoint");
  const gone = await failed(tinyRun({}, { output }));
  assert.is(gone.code, "E_CHECKPOINT");
  assert.is(gone.message, "Cannot resume from out/checkpoint: there is no checkpoint");
});

test("Run: losses that overflow end it as diverged, and say which", async () => {
  const files = memoryFiles();
  const over = { losses: { explode: { weight: 1e6 } } };
  const { result, events } = await finish(over, undefined, { files });
  assert.instance(result, OnestepError);
  const error = result as OnestepError;
  assert.is(error.code, "E_DIVERGED");
  assert.match(
    error.message,
    /^Cannot go on training the generator: .*gradient norm (is|are) NaN or infinite at step 0 of stage distillation/,
  );
  const failure = events.find(({ type }) => type === "run/failed") as { error: Error };
  assert.is(failure.error, error);
  assert.equal(events.at(-1), { type: "run/end", steps: 4, reason: "failed" });
  const { manifest } = await loadCheckpoint(files, "out/checkpoint");
  assert.equal([manifest.stage, manifest.step], ["distillation", 0], "what was there before the update is kept");
});

test("Run: a checkpoint with NaN in it never replaces one without", async () => {
  const files = memoryFiles();
  const poison = (stage: string, step: number, run: Run) => {
    if (stage !== "distillation" || step !== 3) return;
    const { memory, players } = run.trainer;
    const weights = new Float32Array(players.generator.layout.arenas[0]).fill(Number.NaN);
    memory.write("generator.weights.0", weights);
  };
  const over = { train: { checkpointEvery: 2 } };
  // After step 3 there is a checkpoint due: there the run ends, though losses are looked at in the last step only.
  const { result, events } = await finish(over, poison, { files });
  const error = result as OnestepError;
  assert.is(error.code, "E_DIVERGED");
  assert.match(error.message, /at step 4: generator.weights.0 holds NaN or infinity/);
  assert.match(error.fix, /go on from out\/checkpoint\/2-distillation-2.safetensors with --resume/);
  assert.is(events.filter((event) => event.type === "step/end").at(-1)?.step, 3);
  const { manifest, states } = await loadCheckpoint(files, "out/checkpoint");
  assert.is(manifest.step, 2);
  assert.ok(Object.values(states).every((values) => values.every(Number.isFinite)));
  assert.not(files.contents.has("out/generator.safetensors"));
  const resumed = await finish(over, undefined, { files, existing: "resume" });
  assert.equal(resumed.states, (await whole()).states, "it goes on from there");
});

test("Run: a closed-form teacher takes no training, and a generator starts fresh", async () => {
  const { events, result, updates } = await finish({
    teacher: { use: "gaussian-mixture" },
    losses: { "edm-denoising": false },
  });
  assert.is(turnsOf("teacher", events), 0);
  assert.equal(updates, [0, 3, 8]);
  assert.is((result as RunResult).reason, "complete");
});

test("Run: without a generator it trains a teacher", async () => {
  const files = memoryFiles();
  const losses = Object.fromEntries(
    Object.keys(tinyConfig().config.losses).map((name) => [name, name === "edm-denoising" && {}]),
  );
  const over = {
    generator: false,
    critic: false,
    losses,
    optimizers: { generator: false, critic: false },
    averages: { generator: false },
  };
  const { events, result } = await finish(over, undefined, { files });
  assert.is((events[0] as { steps: number }).steps, 4);
  assert.is((events.at(-1) as { steps: number }).steps, 4);
  assert.equal(
    (result as RunResult).judgements.map(({ who }) => who),
    ["data", "teacher"],
  );
  assert.not(files.contents.has("out/generator.safetensors"));
  const more = { ...over, method: { teacher: { steps: 6 } } };
  const longer = await finish(more, undefined, { files, existing: "resume" });
  assert.is(turnsOf("teacher", longer.events), 2);
});

test("Run: a generator without a critic is trained, in every step", async () => {
  const files = memoryFiles();
  const losses = Object.fromEntries(
    Object.keys(tinyConfig().config.losses).map((name) => [name, name === "edm-denoising" && {}]),
  );
  const over = {
    critic: false,
    losses: { ...losses, shrink: { weight: 1 } },
    optimizers: { critic: false },
  };
  const { events, result, updates, states } = await finish(over, undefined, { files });
  assert.is((result as RunResult).reason, "complete");
  assert.equal(updates, [4, 8]);
  assert.equal(turnsIn(events), [...Array(4).fill("teacher"), ...Array(8).fill("generator")]);
  assert.not.equal(states["generator.weights.0"], states["teacher.average.0"]);
  assert.not(files.contents.has("out/critic.safetensors"));
  assert.equal(
    (result as RunResult).judgements.map(({ who }) => who),
    ["data", "teacher", "generator"],
  );
});

/** Commands that took effect, with the stage that was on. */
function received(run: Run): string[] {
  const log: string[] = [];
  let stage = "";
  run.bus.on("role/updated", (event) => {
    if (event.stage !== stage) log.push(event.stage);
    stage = event.stage;
  });
  run.bus.on("control/received", ({ command, step }) => void log.push(`${command.type}@${step}`));
  return log;
}

test("Run: commands that are sent between two stages wait for the next", async () => {
  const files = memoryFiles();
  const { run } = await tinyRun({}, { output: { files, path: "out" } });
  const log = received(run);
  let saved = 0;
  run.bus.on("checkpoint/saved", () => {
    // The first is that of the start.
    if (++saved !== 2) return;
    // The teacher's last checkpoint: its stage is over, and the next has not begun.
    run.send({ type: "set-weight", loss: "gan-generator", weight: 0 });
    run.send({ type: "checkpoint" });
    run.send({ type: "pause" });
    setTimeout(() => run.send({ type: "resume" }), 20);
  });
  assert.is((await run.start()).reason, "complete");
  assert.equal(log, ["teacher", "pause@0", "set-weight@0", "checkpoint@0", "resume@0", "distillation"]);
  assert.equal([...run.trainer.changedWeights], [["gan-generator", 0]]);
  await run.dispose();
});

test("Run: so do those that are sent before it starts; a stop between stages ends it there", async () => {
  const { run } = await tinyRun();
  const log = received(run);
  run.send({ type: "set-weight", loss: "gan-generator", weight: 0 });
  await run.start();
  assert.equal(log, ["set-weight@0", "teacher", "distillation"]);
  await run.dispose();

  const files = memoryFiles();
  const { run: other, events } = await tinyRun({}, { output: { files, path: "out" } });
  other.bus.on("checkpoint/saved", () => other.stop());
  assert.is((await other.start()).reason, "stopped");
  assert.is(turnsOf("generator", events), 0);
  await other.dispose();
  const resumed = await finish({}, undefined, { files, existing: "resume" });
  assert.equal(resumed.states, (await whole()).states);
});

test("Run.create: a checkpoint of a stage that the method does not have", async () => {
  const files = await finished();
  await rewritten(files, ({ stages }) => ({
    stage: "round 3",
    stages: [...stages!, { name: "round 3", steps: 8 }],
  }));
  const error = await failed(tinyRun({}, { output: { files, path: "out", existing: "resume" } }));
  assert.is(error.code, "E_CHECKPOINT");
  assert.is(
    error.message,
    'Cannot resume: the checkpoint is of stage "round 3", the method dmd2 has teacher, distillation',
  );
});

/** Replaces the checkpoints of a folder by one like the newest with other fields in its manifest. */
async function rewritten(files: MemoryFiles, change: (manifest: Manifest) => Partial<Manifest>) {
  const { manifest, states } = await loadCheckpoint(files, "out/checkpoint");
  await files.remove("out/checkpoint");
  const sources = Object.entries(states).map(([name, data]) => ({ name, length: data.length, read: () => data }));
  const { version: _, ...rest } = manifest;
  await saveCheckpoint(
    files,
    "out/checkpoint",
    { ...rest, stages: rest.stages!, ...change(manifest) } as never,
    sources,
  );
}

test("Run.create: what would make it another run is refused, with what differs and what to do", async () => {
  const files = await finished();
  const before = new Map(files.contents);
  const resume = (over: unknown) => tinyRun(over, { output: { files, path: "out", existing: "resume" } });
  for (const [over, code, message] of [
    [{ train: { seed: 9 } }, "E_CONFIG", "train.seed is 9, it began with 0"],
    [{ method: { ttur: { critic: 2 } } }, "E_CONFIG", "method.ttur.critic is 2, it began with 3"],
    [{ generator: { sigmas: [4] } }, "E_CONFIG", "generator.sigmas is [4], it began with [5]"],
    [{ train: { steps: 1 } }, "E_OPTION", 'stage "distillation" should have 1 steps, 8 are done'],
    [{ method: { teacher: { steps: 9 } } }, "E_OPTION", 'stage "teacher" should have 9 steps, it was over after 4'],
    [{ method: { teacher: { steps: 2 } } }, "E_OPTION", 'stage "teacher" should have 2 steps, it was over after 4'],
  ] as const) {
    const error = await failed(resume(over));
    assert.is(error.code, code);
    assert.match(error.message, `Cannot resume out: ${message}`);
    assert.match(error.fix, /as (it was|they were), or start another run in a folder of its own/);
    assert.equal(files.contents, before);
  }
  // A seed may also come from the folder's config: what counts is the checkpoint.
  await rewritten(files, ({ config }) => ({ config: { ...config, train: { ...config.train, seed: 9 } } }));
  assert.match((await failed(resume({}))).message, "train.seed is 0, it began with 9");
});

test("Run.create: what may change is said in one line, and what changes no update is not", async () => {
  const warned = async (over: unknown) => {
    const files = await finished();
    const { events } = await finish(over, undefined, { files, existing: "resume" });
    return events.flatMap((event) => (event.type === "run/warning" ? [event.message] : []));
  };
  assert.equal(await warned({ train: { logEvery: 7, keep: 1, evaluateCount: 5 } }), []);
  const over = { optimizers: { critic: { lr: 2e-3 } }, losses: { "gan-generator": false } };
  const [line, ...others] = await warned(over);
  assert.equal(others, []);
  assert.match(line, /^goes on with other settings: .*optimizers.critic.lr is 0.002, it began with 0.001/);
  assert.match(line, /losses.gan-generator is absent, it began with it/);
});

test("Run.create: a config that lacks options of later versions resumes without a word", async () => {
  const files = await finished();
  await rewritten(files, ({ config }) => {
    const { keep: _, checkpointMinutes: __, ...train } = config.train as Record<string, unknown>;
    const { labelWidth: ___, ...network } = config.network as Record<string, unknown>;
    return { config: { ...config, train, network: network as typeof config.network } };
  });
  const { events } = await finish({}, undefined, { files, existing: "resume" });
  assert.is(count(events, "run/warning"), 0);
});

test("Run.create: a manifest that says nonsense is no checkpoint", async () => {
  const files = await finished();
  for (const change of [{ step: 9 }, { stage: "teacher", step: 5 }, { stages: [] }, { stage: "nowhere" }]) {
    await rewritten(files, () => change);
    const error = await failed(tinyRun({}, { output: { files, path: "out", existing: "resume" } }));
    assert.is(error.code, "E_CHECKPOINT", JSON.stringify(change));
    await rewrittenFrom(files);
  }
});

/** Puts the checkpoint of a finished run back. */
async function rewrittenFrom(files: MemoryFiles) {
  await files.remove("out/checkpoint");
  for (const [path, bytes] of (await whole()).files.contents)
    if (path.startsWith("out/checkpoint")) files.contents.set(path, bytes);
}

test("Run: no steps at all is a run too", async () => {
  const { result, updates } = await finish({
    train: { steps: 0 },
    method: { teacher: { steps: 0 } },
  });
  assert.is((result as RunResult).reason, "complete");
  assert.equal(updates, [0, 0, 0]);
});

test("Run: generator and critic start as the teacher whose samples they imitate", async () => {
  const { states } = await finish({ train: { steps: 0 } });
  assert.equal(states["generator.weights.0"], states["teacher.average.0"]);
  assert.not.equal(states["teacher.average.0"], states["teacher.weights.0"]);
});

test("Run: an observer that throws is reported, and changes nothing", async () => {
  const broken = {
    name: "broken",
    observe: (bus: Run["bus"]) =>
      void bus.on(
        "role/updated",
        ({ role }) => {
          if (role === "critic") throw new Error("oops");
        },
        "broken",
      ),
  };
  const { run, events } = await tinyRun({}, { observers: [broken] });
  await run.start();
  const warning = events.find(({ type }) => type === "run/warning");
  assert.equal(warning, {
    type: "run/warning",
    source: "broken",
    message: "Cannot handle role/updated: oops",
  });
  assert.equal(await statesOf(run), (await whole()).states);
});

test("Run: memory is the same after every step, and none is left after dispose", async () => {
  const backend = new ReferenceBackend();
  const run = await Run.create({ resolved: tinyConfig(), backend });
  const sizes = new Set<number>();
  run.bus.on("step/end", () => void sizes.add(backend.liveBytes));
  await run.start();
  assert.is(sizes.size, 1);
  await run.dispose();
  assert.is(backend.liveBytes, 0);
  await failed(Run.create({ resolved: tinyConfig({ critic: false }), backend }));
  assert.is(backend.liveBytes, 0, "a run that could not be made leaves nothing");
});

test.run();
