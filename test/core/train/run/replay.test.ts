import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { OnestepError } from "../../../../core/errors.ts";
import { type ReplayRequest, replayStep, runFolder } from "../../../../core/train/mod.ts";
import { eventLog } from "../../../../plugins/observers/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { tinyConfig, tinyRun } from "../support.ts";

const test = suite("core/train/replay");

const over = {
  losses: { "distribution-matching": false, "gan-generator": false, "gan-discriminator": false, shrink: {} },
  train: { steps: 6, logEvery: 1, checkpointEvery: 2, evaluateCount: 4, keep: 9 },
};
const folder = (files: ReturnType<typeof memoryFiles>) => runFolder(files, "out");

/** A stopped run with all its checkpoints and its log. */
const stopped = (async () => {
  const files = memoryFiles();
  const { run } = await tinyRun(over, { output: { files, path: "out" } });
  eventLog({ files, path: folder(files).events }).observe(run.bus);
  run.bus.on("step/end", ({ stage, step }) => void (stage === "distillation" && step === 4 && run.stop()));
  await run.start();
  await run.dispose();
  return files;
})();

const replay = async (request: Partial<ReplayRequest>) => {
  const files = await stopped;
  const backend = new ReferenceBackend();
  return replayStep({ files, folder: folder(files), resolved: tinyConfig(over), backend, step: 3, ...request });
};

test("a step comes to the same bits as the log has, from the nearest checkpoint, and the folder stays as it is", async () => {
  const { contents } = await stopped;
  const before = new Map(contents);
  for (const [step, from, stage] of [
    [3, "2-distillation-2", undefined],
    [2, "2-distillation-2", undefined],
    [0, "1-teacher-4", "distillation"],
    [3, "1-teacher-2", "teacher"],
  ] as const) {
    const found = await replay({ step, stage });
    assert.is(found.from, `out/checkpoint/${from}.safetensors`);
    assert.equal(
      found.updates.map(({ role }) => role),
      stage === "teacher" ? ["teacher"] : step % 3 === 0 ? ["generator", "critic"] : ["critic"],
    );
    for (const { values, logged } of found.updates) assert.equal(values, logged);
  }
  assert.equal(new Map(contents), before);
});

test("values are dumped under paths that say where they come from, and are those of the step", async () => {
  const { dumped, updates } = await replay({ dumps: (path) => /\/shrink\//.test(path) && !path.includes("gradient") });
  assert.ok(dumped.length > 3);
  for (const { path, shape, values } of dumped) {
    assert.match(path, /^generator\/\d{4}\/shrink\//);
    assert.is(
      values.length,
      shape.reduce((a, b) => a * b, 1),
    );
  }
  assert.ok(dumped.some(({ path }) => /shrink\/generator\/mlp\/generator .*\/matmul$/.test(path)));
  const [last] = dumped.slice(-1);
  assert.is(last.values[0], updates[0].values.shrink, "the loss itself comes last");
});

test("a run that is complete has the checkpoint of its end alone, and says that no step is reached from it", async () => {
  const files = memoryFiles();
  const { run } = await tinyRun(over, { output: { files, path: "out" } });
  await run.start();
  await run.dispose();
  const error = await replay({ files, folder: folder(files) }).catch((fault) => fault as OnestepError);
  assert.instance(error, OnestepError);
  const { message, fix } = error as OnestepError;
  assert.match(
    message,
    /the earliest is out\/checkpoint\/2-distillation-6.safetensors; a run that is complete keeps that of its end alone, so no step can be reached$/,
  );
  assert.match(
    fix,
    /^train once more, from out\/config.json into another --out, and replay there before the run is complete$/,
  );
});

test("an update that the log says was left out is told from one that was not read", async () => {
  const files = memoryFiles();
  for (const [path, content] of (await stopped).contents) await files.write(path, content);
  const { events } = folder(files);
  const lines = new TextDecoder().decode(await files.read(events)).split("\n");
  const rest = lines.filter((line) => !/"role\/updated".*"critic".*"step":2/.test(line));
  const left = { type: "role/left-out", stage: "distillation", role: "critic", step: 2, losses: ["fake-score"] };
  await files.write(events, new TextEncoder().encode([...rest, JSON.stringify(left), ""].join("\n")));
  const { updates } = await replay({ files, folder: folder(files), step: 2 });
  assert.equal(
    updates.map(({ role, logged, wasLeftOut }) => [role, logged, wasLeftOut]),
    [["critic", undefined, true]],
  );
  const others = await replay({ step: 2 });
  assert.equal(
    others.updates.map(({ wasLeftOut }) => wasLeftOut),
    [false],
  );
});

test("what a run does not have is refused with its code", async () => {
  const refused = async (request: Partial<ReplayRequest>) => {
    const error = await replay(request).then(
      () => undefined,
      (fault) => fault as OnestepError,
    );
    return `${error?.code}: ${error?.message}`;
  };
  assert.is(await refused({ step: 6 }), "E_OPTION: Cannot replay step 6: stage distillation has the steps 0 to 5");
  assert.match(
    await refused({ stage: "distilation" }),
    /^E_OPTION: .* the run has teacher, distillation, did you mean/,
  );
  const files = memoryFiles();
  assert.match(
    await refused({ files, folder: folder(files) }),
    /^E_CHECKPOINT: .* no checkpoint is as early, out\/checkpoint has none$/,
  );
  const late = memoryFiles();
  const path = "out/checkpoint/2-distillation-4.safetensors";
  await late.makeDir("out/checkpoint");
  await late.write(path, await (await stopped).read(path));
  assert.match(
    await refused({ files: late, folder: folder(late) }),
    /no checkpoint is as early, the earliest is out\/checkpoint\/2-dist.*; the earliest step that can be reached is step 4 of stage distillation$/,
  );
  assert.match(
    await refused({ files: late, folder: folder(late), stage: "teacher", step: 0 }),
    /step 0 of stage teacher: .*; the earliest step that can be reached is step 4 of stage distillation$/,
  );
});

test.run();
