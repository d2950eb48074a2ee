import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { progress } from "../../../plugins/observers/progress.ts";
import { barText } from "../../../plugins/observers/progressBar.ts";
import { duration, lossText, paceText } from "../../../plugins/observers/progressDisplay.ts";
import { play } from "./scene.ts";

const test = suite("plugins/observers/progress");

test("a pipe gets plain lines, the first and last of each stage among them", async () => {
  let text = "";
  const bus = new EventBus();
  progress({ stream: { write: (part: string) => (text += part) } }).observe(bus);
  await play(bus, { teacher: 100, distillation: 50, logEvery: 10 });
  const lines = text.trimEnd().split("\n");
  assert.ok(lines.length <= 44, `${lines.length} lines`);
  assert.match(lines[0], /^teacher {2}1\/100/);
  assert.match(text, /^teacher {2}100\/100 .*denoising 100$/m);
  assert.is(lines.at(-1), "drawing and judging samples");
  assert.match(lines.at(-2)!, /^distillation {2}50\/50 .*matching 58\.0 .*fake 69\.0$/);
  assert.not.ok(text.includes("gradient-norm"));
});

test("every line has the losses of its own step, and no others are read", async () => {
  let text = "";
  const bus = new EventBus();
  progress({ stream: { write: (part: string) => (text += part) } }).observe(bus);
  const { reads } = await play(bus, { teacher: 30, distillation: 90, logEvery: 50 });
  const lines = text.trimEnd().split("\n");
  const of = (stage: string) =>
    lines.flatMap((line) => {
      const [, name, done] = line.match(/^(\w+) {2}(\d+)\//) ?? [];
      const losses = Object.fromEntries(
        [...line.matchAll(/(\w+) ([\d.]+)(?= {2}|$)/g)].map(([, a, b]) => [a, Number(b)]),
      );
      return name === stage ? [{ done: Number(done), losses }] : [];
    });
  const [teacher, distillation] = [of("teacher"), of("distillation")];
  assert.ok(teacher.length >= 15 && distillation.length >= 15);
  for (const { done, losses } of teacher) assert.is(losses.denoising, done);
  for (const { done, losses } of distillation) {
    assert.is(losses.fake, 19 + done);
    // The generator learns in every second step.
    assert.is(losses.matching, 10 + 2 * Math.floor((done - 1) / 2));
  }
  assert.ok(reads <= 2 * teacher.length + 3 * distillation.length + 6, `${reads} reads`);
});

test("a bar and its losses fit a terminal of any width, and the time left stays", () => {
  const losses = { "distribution-matching": 0.00123, "gan-generator": 0.705, "fake-score": 0.583 };
  const at = { stage: "distillation", done: 12345, total: 40000, rate: 12.3, losses };
  const bars = [80, 60, 40].map((columns) => barText(at, columns - 1));
  for (const [i, columns] of [80, 60, 40].entries()) assert.ok(bars[i].length < columns, bars[i]);
  for (const bar of bars) assert.match(bar, /12345\/40000 .*37 min 29 s left$/);
  assert.match(bars[0], /█+░+ .*12 steps\/s/);
  assert.match(bars[1], /█+░+ /);
  assert.not.match(bars[2], /steps/);
  assert.is(lossText(at, 58), "distribution-matching 0.00123  gan-generator 0.705  …");
  assert.is(lossText(at, 30), "distribution-matching 0.00123  …");
});

test("a terminal gets bars that fit it, and the timer ends with the run", async () => {
  let text = "";
  const stream = {
    isTTY: true,
    columns: 0, // terminals that do not tell report 0
    rows: 24,
    write: (part: string) => {
      text += part;
      return true;
    },
    cursorTo() {},
    moveCursor() {},
    clearLine() {},
    clearScreenDown() {},
    on() {},
    once() {},
    emit() {},
    end() {},
  };
  const bus = new EventBus();
  progress({ stream }).observe(bus);
  await play(bus, { teacher: 10, distillation: 10 });
  bus.emit("run/warning", { source: "test", message: "odd" });
  await bus.settled();
  assert.match(text, /teacher +█+ 10\/10/);
  assert.match(text, /distillation █+ 10\/10/);
  assert.match(text, /^.* {2}matching \d.* {2}fake \d/m);
  assert.ok(text.length < 20_000, "no flood");
});

test("warnings are shown", async () => {
  let text = "";
  const bus = new EventBus();
  progress({ stream: { write: (part: string) => (text += part) } }).observe(bus);
  bus.emit("run/warning", { source: "disk", message: "Cannot write" });
  await new Promise((resolve) => setTimeout(resolve));
  assert.is(text, "warning (disk): Cannot write\n");
});

test("durations and speeds read well", () => {
  assert.equal([0.2, 59, 61, 3599, 7300].map(duration), ["1 s", "59 s", "1 min 1 s", "59 min 59 s", "2 h 1 min"]);
  const at = { stage: "teacher" as const, done: 5, total: 10, losses: { loss: 0.123456 } };
  assert.is(paceText({ ...at, rate: 2.5 }), "5/10  2.5 steps/s  2 s left");
  assert.is(paceText({ ...at, rate: Number.NaN }), "5/10");
  assert.is(lossText({ ...at, rate: 1 }), "loss 0.123");
});

test.run();
