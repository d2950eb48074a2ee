import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { eventLog } from "../../../plugins/observers/eventLog.ts";
import { eventOf, loggedLosses } from "../../../plugins/observers/logLines.ts";
import { lossCurves } from "../../../plugins/observers/lossCurves.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { play } from "./scene.ts";

const test = suite("plugins/observers/lossCurves");
const text = (files: ReturnType<typeof memoryFiles>, path: string) =>
  new TextDecoder().decode(files.contents.get(path));

test("draws every loss when the run ends, gradient norms left out", async () => {
  const files = memoryFiles();
  const bus = new EventBus();
  lossCurves({ files, path: "losses.svg" }).observe(bus);
  await play(bus, { teacher: 6, distillation: 6 });
  const svg = text(files, "losses.svg");
  for (const name of ["denoising", "matching", "fake", "distillation from 6 on"]) assert.ok(svg.includes(name), name);
  assert.not.ok(svg.includes("gradient-norm"));
});

test("a resumed run draws what the log has from before, a torn last line left out", async () => {
  const files = memoryFiles();
  const first = new EventBus();
  eventLog({ files, path: "log" }).observe(first);
  await play(first, { teacher: 4 });
  await files.append("log", '{"type":"role/updated","st');
  const second = new EventBus();
  lossCurves({ files, path: "losses.svg", earlier: "log" }).observe(second);
  await play(second, { distillation: 4, start: 2 });
  assert.ok(text(files, "losses.svg").includes("denoising"));
  assert.ok(text(files, "losses.svg").includes("fake"));
});

test("the log of version 0.1.0, which has the role in the type, is drawn too", async () => {
  const line = (type: string, step: number, losses: object) => `${JSON.stringify({ at: 1, type, step, losses })}\n`;
  const log = [
    line("teacher/updated", 0, { denoising: 1 }),
    line("critic/updated", 0, { fake: 2 }),
    line("step/end", 0, {}),
  ];
  const earlier = memoryFiles({ log: log.join("") });
  const bus = new EventBus();
  lossCurves({ files: earlier, path: "losses.svg", earlier: "log" }).observe(bus);
  await play(bus, { teacher: 0, distillation: 1, start: 1 });
  for (const name of ["denoising", "fake"]) assert.ok(text(earlier, "losses.svg").includes(name), name);
});

test("numbers that JSON does not have are words in the log, null in that of 0.1.0: gaps either way", async () => {
  const drawn = async (value: unknown) => {
    const line = (step: number, denoising: unknown) =>
      `${JSON.stringify({ at: 1, type: "role/updated", stage: "teacher", role: "teacher", step, losses: { denoising } })}\n`;
    const files = memoryFiles({ log: [1, value, 3, 2].map((each, step) => line(step, each)).join("") });
    const bus = new EventBus();
    lossCurves({ files, path: "losses.svg", earlier: "log" }).observe(bus);
    await play(bus, { teacher: 4, start: 4 });
    return text(files, "losses.svg");
  };
  const gap = await drawn("NaN");
  assert.not.match(gap, /NaN/);
  for (const value of [null, "Infinity"]) assert.is(await drawn(value), gap, String(value));
  assert.is.not(await drawn(2), gap);
});

test("a run without losses leaves no file", async () => {
  const files = memoryFiles();
  const bus = new EventBus();
  lossCurves({ files, path: "losses.svg" }).observe(bus);
  await play(bus);
  assert.is(files.contents.size, 0);
});

test("lines of another form in the log are left out", () => {
  const line = (over: object) =>
    JSON.stringify({ type: "role/updated", stage: "s", role: "r", step: 1, losses: { a: 2 }, ...over });
  const lossesIn = (text: string) => {
    const event = eventOf(text);
    return event && loggedLosses(event);
  };
  assert.equal(lossesIn(line({})), { stage: "s", role: "r", step: 1, values: { a: 2 } });
  const nested = `{"type":"role/updated","losses":${'{"a":'.repeat(1e5)}`;
  const wrong = [
    { step: -1 },
    { step: "1" },
    { step: null },
    { role: 5 },
    { stage: {} },
    { losses: null },
    { losses: [1] },
  ];
  for (const each of [...wrong.map(line), nested, 'null "/updated"'])
    assert.is(lossesIn(each), undefined, each.slice(0, 100));
});

test.run();
