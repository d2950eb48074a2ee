import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { type LossReading, onLosses } from "../../../plugins/observers/lossReadings.ts";
import { play, scalars } from "./scene.ts";

const test = suite("plugins/observers/lossReadings");

test("several observers of an update read it once", async () => {
  const bus = new EventBus();
  const seen: LossReading[] = [];
  for (const name of ["a", "b"])
    onLosses(bus, name, (reading) => reading.then((each) => seen.push(each)));
  const { losses, reads } = scalars({ loss: 3 });
  bus.emit("teacher/updated", { step: 0, losses });
  await bus.settled();
  assert.is(reads(), 1);
  assert.equal(seen, Array(2).fill({ phase: "teacher", step: 0, values: { loss: 3 } }));
});

test("a phase that moves seldom is read when it moves, and a resumed run from where it begins", async () => {
  const bus = new EventBus();
  const seen: string[] = [];
  onLosses(bus, "test", async (reading) => {
    const { phase, step } = await reading;
    seen.push(`${phase} ${step}`);
  });
  await play(bus, { distillation: 12, start: 5, logEvery: 3 });
  assert.equal(seen, ["critic 5", "generator 6", "critic 8", "generator 10", "critic 11"]);
});

test("`every` has the last word", async () => {
  const bus = new EventBus();
  let count = 0;
  onLosses(bus, "test", () => void count++, 1);
  await play(bus, { teacher: 5, logEvery: 100 });
  assert.is(count, 5);
});

test.run();
