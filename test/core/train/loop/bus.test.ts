import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../../core/train/loop/bus.ts";
import type { TrainEvent } from "../../../../core/train/loop/events.ts";

const test = suite("core/train/bus");

const short = (event: TrainEvent) => (event.type === "run/warning" ? `${event.source}: ${event.message}` : event.type);

function recorded(): { bus: EventBus; log: string[] } {
  const bus = new EventBus();
  const log: string[] = [];
  bus.listen((event) => log.push(short(event)));
  return { bus, log };
}

test("on: hears its type only, typed, until it is ended", () => {
  const bus = new EventBus();
  const heard: number[] = [];
  const end = bus.on("step/end", ({ step, ms }) => heard.push(step, ms));
  bus.emit("step/end", { stage: "teacher", step: 0, ms: 2 });
  bus.emit("run/end", { steps: 1, reason: "complete" });
  end();
  bus.emit("step/end", { stage: "teacher", step: 1, ms: 2 });
  assert.equal(heard, [0, 2]);
});

test("an event cannot be changed by a listener", () => {
  const { bus, log } = recorded();
  bus.on("step/end", (event) => Object.assign(event, { step: 9 }), "meddler");
  bus.emit("step/end", { stage: "teacher", step: 0, ms: 1 });
  assert.match(log[1], /^meddler: Cannot handle step\/end: Cannot assign to read only/);
});

test("a listener that throws is reported by name and the others still hear", () => {
  const { bus, log } = recorded();
  bus.on(
    "step/end",
    () => {
      throw new Error("disk full");
    },
    "jsonl",
  );
  const heard: number[] = [];
  bus.on("step/end", ({ step }) => heard.push(step));
  bus.emit("step/end", { stage: "teacher", step: 0, ms: 1 });
  bus.emit("step/end", { stage: "teacher", step: 1, ms: 1 });
  const warning = "jsonl: Cannot handle step/end: disk full";
  assert.equal(log, ["step/end", warning, "step/end", warning]);
  assert.equal(heard, [0, 1]);
});

test("a listener whose promise rejects is reported, and settled waits for it", async () => {
  const { bus, log } = recorded();
  bus.on("run/end", async function grids() {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new Error("no space");
  });
  bus.emit("run/end", { steps: 1, reason: "complete" });
  assert.equal(log, ["run/end"]);
  await bus.settled();
  assert.equal(log, ["run/end", "grids: Cannot handle run/end: no space"]);
});

test("a listener that fails on warnings does not go round for ever", () => {
  const { bus, log } = recorded();
  bus.listen(() => {
    throw new Error("always");
  }, "broken");
  bus.emit("step/end", { stage: "teacher", step: 0, ms: 1 });
  assert.equal(log, ["step/end", "broken: Cannot handle step/end: always"]);
});

test("what a listener emits comes after the event it heard, for everyone", () => {
  const bus = new EventBus();
  bus.on("step/end", ({ step }) => bus.emit("checkpoint/saved", { step, path: "a", bytes: 1 }));
  const log: string[] = [];
  bus.listen((event) => log.push(event.type));
  bus.emit("step/end", { stage: "teacher", step: 0, ms: 1 });
  assert.equal(log, ["step/end", "checkpoint/saved"]);
});

test("all: composes with operators", () => {
  const bus = new EventBus();
  const log: string[] = [];
  const subscription = bus.all.subscribe((event) => log.push(event.type));
  bus.emit("step/end", { stage: "teacher", step: 0, ms: 1 });
  subscription.unsubscribe();
  bus.emit("step/end", { stage: "teacher", step: 1, ms: 1 });
  assert.equal(log, ["step/end"]);
});

test.run();
