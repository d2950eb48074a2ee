import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../../backends/host/files.ts";
import { RunWatch } from "../../../../examples/cli/ui/runWatch.ts";
import { rejected } from "../../../helpers/thrown.ts";
import { scratch } from "../program.ts";

const test = suite("cli/ui/runWatch");
const folder = scratch();
test.after(() => folder.remove());

const line = (event: object) => `${JSON.stringify(event)}\n`;
const started = line({
  type: "run/start",
  at: 0,
  seed: 0,
  device: "wasm",
  stages: [{ name: "teacher", steps: 9 }],
  config: {},
});
const update = (step: number, loss: number) =>
  line({ type: "role/updated", at: step, stage: "teacher", role: "teacher", step, losses: { "edm-denoising": loss } });

const run = (name: string, log: string) => {
  const path = folder.path(name);
  mkdirSync(`${path}/samples`, { recursive: true });
  writeFileSync(`${path}/config.json`, "{}");
  writeFileSync(`${path}/events.jsonl`, log);
  return path;
};
const values = (changes: ReturnType<RunWatch["takeChanges"]>) => changes?.curves?.map(({ stretches }) => stretches);

test("a log that is cut in the middle of a line is read up to there, and on when the line is whole", async () => {
  const path = run("cut", started + update(0, 1) + update(1, 2).slice(0, 20));
  const watch = await RunWatch.open(files, path);
  await watch.refresh();
  const first = watch.takeChanges();
  assert.equal(values(first), [[[0, 1]]]);
  assert.is(first?.head?.state, "silent");
  assert.is(first?.head?.damaged, 0);
  await watch.refresh();
  assert.is(watch.takeChanges(), undefined);
  appendFileSync(`${path}/events.jsonl`, update(1, 2).slice(20) + update(2, 3));
  await watch.refresh();
  assert.equal(watch.takeChanges()?.curves?.[0].stretches.slice(-2), [
    [1, 2],
    [2, 3],
  ]);
});

test("lines that are no events are counted", async () => {
  const watch = await RunWatch.open(files, run("damaged", `${started}{"type":\n\u0000\u0000\n${update(0, 1)}`));
  await watch.refresh();
  assert.is(watch.parts.head.damaged, 2);
});

test("a folder whose run was replaced is shown anew", async () => {
  const path = run("replaced", started + update(0, 1) + update(1, 2));
  const watch = await RunWatch.open(files, path);
  await watch.refresh();
  watch.takeChanges();
  rmSync(`${path}/events.jsonl`);
  writeFileSync(`${path}/events.jsonl`, started + update(0, 7));
  await watch.refresh();
  const changes = watch.takeChanges();
  assert.is(changes?.anew, true);
  assert.equal(values(changes), [[[0, 7]]]);
});

test("a folder with a run that has told nothing yet waits", async () => {
  const path = folder.path("fresh");
  mkdirSync(path);
  writeFileSync(`${path}/config.json`, "{}");
  const watch = await RunWatch.open(files, path);
  await watch.refresh();
  assert.is(watch.parts.head.state, "waiting");
});

test("pictures are those that a run names, and no other file is given out", async () => {
  const path = run("pictures", started);
  for (const name of ["generator-12.png", "teacher-4.png", "notes.txt", "generator-1.png.tmp"])
    writeFileSync(`${path}/samples/${name}`, "x");
  const watch = await RunWatch.open(files, path);
  await watch.refresh();
  const { pictures } = watch.parts;
  assert.equal(
    pictures.map(({ role, step }) => [role, step]),
    [
      ["teacher", 4],
      ["generator", 12],
    ],
  );
  assert.ok(watch.pictureFile("teacher-4.png"));
  for (const name of ["notes.txt", "../config.json", "generator-13.png", ""])
    assert.is(watch.pictureFile(name), undefined, name);
});

test("a folder that is missing or holds no run is named", async () => {
  const missing = await rejected(RunWatch.open(files, folder.path("nowhere")));
  assert.match(String(missing), /Cannot show .*nowhere: there is no such folder/);
  const empty = folder.path("empty");
  mkdirSync(empty);
  const none = await rejected(RunWatch.open(files, empty));
  assert.match(String(none), /it holds no run/);
  assert.is((none as { code?: string }).code, "E_CHECKPOINT");
});

test.run();
