import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { type LossReading, onLosses } from "../../../plugins/observers/lossReadings.ts";
import { play, scalars } from "./scene.ts";

const test = suite("plugins/observers/lossReadings");

test("several observers of an update read it once", async () => {
  const bus = new EventBus();
  const seen: LossReading[] = [];
  for (const name of ["a", "b"]) onLosses(bus, name, (reading) => reading.then((each) => seen.push(each)));
  const { losses, reads } = scalars({ loss: 3 });
  bus.emit("role/updated", { stage: "teacher", role: "teacher", step: 0, losses });
  await bus.settled();
  assert.is(reads(), 1);
  const reading = { stage: "teacher", role: "teacher", step: 0, values: { loss: 3 } };
  assert.equal(seen, [reading, reading]);
});

test("a role that moves seldom is read when it moves, and a resumed run from where it begins", async () => {
  const bus = new EventBus();
  const seen: string[] = [];
  onLosses(bus, "test", async (reading) => {
    const { role, step } = await reading;
    seen.push(`${role} ${step}`);
  });
  await play(bus, { distillation: 12, start: 5, logEvery: 3 });
  assert.equal(seen, ["critic 5", "generator 6", "critic 8", "generator 10", "critic 11"]);
});

test("a role that learns in two stages is read at the start of each", async () => {
  const bus = new EventBus();
  const seen: string[] = [];
  onLosses(bus, "test", async (reading) => {
    const { stage, step } = await reading;
    seen.push(`${stage} ${step}`);
  });
  for (const stage of ["round 1", "round 2"])
    for (let step = 0; step < 3; step++)
      bus.emit("role/updated", { stage, role: "generator", step, ...scalars({ loss: 1 }) });
  await bus.settled();
  assert.equal(seen, ["round 1 0", "round 2 0"]);
});

test("`every` has the last word", async () => {
  const bus = new EventBus();
  let count = 0;
  onLosses(bus, "test", () => void count++, 1);
  await play(bus, { teacher: 5, logEvery: 100 });
  assert.is(count, 5);
});

test.run();
