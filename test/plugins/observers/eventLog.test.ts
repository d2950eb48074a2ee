import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failure } from "../../../core/errors.ts";
import { EventBus } from "../../../core/train/mod.ts";
import { eventLog } from "../../../plugins/observers/eventLog.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { play } from "./scene.ts";

const test = suite("plugins/observers/eventLog");
const linesOf = (files: ReturnType<typeof memoryFiles>, path = "log") =>
  new TextDecoder()
    .decode(files.contents.get(path))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("every event is a line in order, updates only where their losses are read", async () => {
  const files = memoryFiles();
  const bus = new EventBus();
  eventLog({ files, path: "log" }).observe(bus);
  const { reads } = await play(bus, { teacher: 3, distillation: 3 });
  assert.equal(
    linesOf(files).map(({ type, role, step }) => [role ? `${role}/updated` : type, step].join(" ").trim()),
    [
      "run/start",
      "teacher/updated 0",
      "step/end 0",
      "step/end 1",
      "teacher/updated 2",
      "step/end 2",
      "generator/updated 0",
      "critic/updated 0",
      "step/end 0",
      "step/end 1",
      "generator/updated 2",
      "critic/updated 2",
      "step/end 2",
      "run/end",
    ],
  );
  for (const line of linesOf(files)) {
    assert.is(line.type === "role/updated", "role" in line);
    const isTeacher = line.role === "teacher";
    if (line.role) assert.is(line.stage, isTeacher ? "teacher" : "distillation");
  }
  assert.equal(linesOf(files)[1].losses, { denoising: 1, "gradient-norm": 9 });
  assert.is(reads, 2 + 2 + 2 + 2, "only what is logged is read from the device");
});

test("lines gather while the file rests, and the end of the run does not wait for more", async () => {
  const files = memoryFiles();
  let appends = 0;
  const append: typeof files.append = (path, text) => {
    appends++;
    return files.append(path, text);
  };
  const bus = new EventBus();
  eventLog({ files: { ...files, append }, path: "log" }).observe(bus);
  const tell = (step: number) => bus.emit("step/end", { stage: "distillation", step, ms: 1 });
  tell(0);
  await new Promise((resolve) => setTimeout(resolve));
  assert.is(appends, 1);
  for (let step = 1; step < 20; step++) tell(step);
  bus.emit("run/end", { steps: 20, reason: "complete" });
  await bus.settled();
  assert.is(appends, 2);
  assert.is(linesOf(files).length, 21);
});

test("a line is let go of once it is written, though more keep coming", async () => {
  const files = memoryFiles();
  const bus = new EventBus();
  const listeners: Parameters<typeof bus.listen>[0][] = [];
  bus.listen = (listener) => {
    listeners.push(listener);
    return () => {};
  };
  eventLog({ files, path: "log" }).observe(bus);
  const [listen] = listeners;
  const event = (step: number) => ({ type: "step/end", stage: "teacher", step, ms: 1 }) as const;
  const first = listen(event(0)) as Promise<void>;
  let step = 1;
  const others = setInterval(() => listen(event(step++)), 1);
  const late = new Promise((resolve) => setTimeout(resolve, 100, "late"));
  const outcome = await Promise.race([first, late]);
  clearInterval(others);
  assert.is.not(outcome, "late");
});

test("a slow loss holds back later lines, not the run, and nothing is lost", async () => {
  const files = memoryFiles();
  const bus = new EventBus();
  eventLog({ files, path: "log" }).observe(bus);
  let arrive: (value: number) => void = () => {};
  const slow = { read: () => new Promise<number>((resolve) => (arrive = resolve)) };
  bus.emit("role/updated", { stage: "distillation", role: "critic", step: 0, losses: { slow } });
  bus.emit("step/end", { stage: "distillation", step: 0, ms: 1 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(files.contents.size, 0);
  arrive(7);
  await bus.settled();
  assert.equal(
    linesOf(files).map(({ type }) => type),
    ["role/updated", "step/end"],
  );
  assert.equal(linesOf(files)[0].losses, { slow: 7 });
});

test("losses that can't be read while lines gather take nothing else with them", async () => {
  const files = memoryFiles();
  const bus = new EventBus();
  eventLog({ files, path: "log" }).observe(bus);
  bus.emit("step/end", { stage: "teacher", step: 0, ms: 1 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const gone = { read: () => Promise.reject(new Error("gone")) };
  // The pause after the first line lasts longer: nobody awaits the reading when it fails.
  bus.emit("role/updated", { stage: "teacher", role: "teacher", step: 1, losses: { gone } });
  bus.emit("step/end", { stage: "teacher", step: 1, ms: 1 });
  await bus.settled();
  const lines = linesOf(files);
  assert.equal(
    lines.map(({ type, step }) => [type, step]),
    [
      ["step/end", 0],
      ["step/end", 1],
      ["run/warning", undefined],
    ],
  );
  assert.match(lines[2].message, "gone");
});

test("errors go in by code, samples by shape; an old log is gone on with", async () => {
  const files = memoryFiles({ log: '{"type":"old"}\n' });
  const bus = new EventBus();
  eventLog({ files, path: "log" }).observe(bus);
  const samples = { shape: [2, 2], read: async () => new Float32Array(4) };
  bus.emit("sample/drawn", { step: 1, role: "generator", nfe: 1, samples });
  bus.emit("run/failed", { step: 1, error: failure("E_DIVERGED", "Cannot go on") });
  await bus.settled();
  const [old, drawn, failed] = linesOf(files);
  assert.is(old.type, "old");
  assert.equal(drawn.samples, { shape: [2, 2] });
  assert.equal(failed.error, { name: "OnestepError", code: "E_DIVERGED", message: "Cannot go on" });
});

test("a line that a kill has cut goes, and the next one stands for itself", async () => {
  const long = `{"type":"whole","text":"${"x".repeat(200_000)}"}`;
  for (const [before, kept] of [
    [`{"type":"whole"}\n{"type":"step/e`, ["whole"]],
    [`${long}\n${long.slice(0, 150_000)}`, ["whole"]],
    ['{"type":"who', []],
    [`${long}\n`, ["whole"]],
  ] as const) {
    const files = memoryFiles({ log: before });
    const bus = new EventBus();
    eventLog({ files, path: "log" }).observe(bus);
    bus.emit("step/end", { stage: "teacher", step: 4, ms: 1 });
    await bus.settled();
    assert.equal(
      linesOf(files).map(({ type }) => type),
      [...kept, "step/end"],
    );
  }
});

test("numbers that JSON does not have are words", async () => {
  const files = memoryFiles();
  const bus = new EventBus();
  eventLog({ files, path: "log" }).observe(bus);
  const losses = Object.fromEntries(
    Object.entries({ a: Number.NaN, b: Infinity, c: -Infinity, d: 1 }).map(([name, value]) => [
      name,
      { read: async () => value },
    ]),
  );
  bus.emit("role/updated", { stage: "distillation", role: "critic", step: 0, losses });
  await bus.settled();
  assert.equal(linesOf(files)[0].losses, { a: "NaN", b: "Infinity", c: "-Infinity", d: 1 });
});

test("what could not be written is said once, and written when the disk takes it again", async () => {
  const files = memoryFiles();
  let full = true;
  const moody = {
    ...files,
    // A part of what a full disk refuses may be there.
    append: async (path: string, text: string) => {
      await files.append(path, full ? text.slice(0, 5) : text);
      if (full) throw failure("E_FILE", "Cannot append");
    },
  };
  const bus = new EventBus();
  const warnings: string[] = [];
  bus.on("run/warning", ({ message }) => void warnings.push(message));
  eventLog({ files: moody, path: "log" }).observe(bus);
  const step = async (step: number) => {
    bus.emit("step/end", { stage: "distillation", step, ms: 1 });
    await bus.settled();
  };
  for (let i = 0; i < 5; i++) await step(i);
  assert.is(warnings.length, 1);
  full = false;
  await step(5);
  assert.equal(
    linesOf(files)
      .filter(({ type }) => type === "step/end")
      .map((line) => line.step),
    [0, 1, 2, 3, 4, 5],
  );
  full = true;
  await step(6);
  assert.is(warnings.length, 2, "a new failure is news");
});

test("a file that can't be written is a warning", async () => {
  const bus = new EventBus();
  const full = {
    ...memoryFiles(),
    append: () => Promise.reject(failure("E_FILE", "Cannot append")),
  };
  eventLog({ files: full, path: "log" }).observe(bus);
  const warnings: string[] = [];
  bus.on("run/warning", ({ source }) => void warnings.push(source));
  bus.emit("step/end", { stage: "distillation", step: 0, ms: 1 });
  await bus.settled();
  assert.ok(warnings.includes("event-log"));
});

test.run();
