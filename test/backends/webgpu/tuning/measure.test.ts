import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  calibrate,
  compare,
  fastest,
  perRun,
  type Sample,
  type Timer,
} from "../../../../backends/webgpu/tuning/measure.ts";

const test = suite("backends/webgpu/tuning/measure");

/** A device on which a run takes `ms`, a submit `empty` more, and the first touch of memory 50. */
function device(ms: number, empty: number) {
  const submits: number[] = [];
  const timer = async (runs: number) => {
    submits.push(runs);
    return (submits.length === 1 ? 50 : 0) + empty + runs * ms;
  };
  return { timer, submits };
}

test("calibrate: one run of long work, many of short work, and the first counts nothing", async () => {
  for (const [ms, runs] of [
    [100, 1],
    [7, 3],
    [0.5, 40],
    [0.05, 64],
  ]) {
    const { timer, submits } = device(ms, 0.1);
    const sample = await calibrate(timer);
    const found = perRun(sample, 0.1);
    assert.ok(Math.abs(found - ms) < 1e-9, `${ms}: ${found}`);
    assert.ok(sample.runs >= runs && sample.runs <= 64, `${ms} ms in submits of ${submits}`);
  }
});

test("perRun: work that is lost in the noise takes 0", async () => {
  assert.is(perRun(await calibrate(device(0.001, 0.1).timer), 0.1), 0);
});

test("compare: the least of several, in turns, as other work only makes it longer", async () => {
  const order: string[] = [];
  const sample = (name: string, times: number[]): Sample => ({
    timer: async (runs) => {
      order.push(`${name}${runs}`);
      return times.shift()!;
    },
    runs: 2,
    least: 50,
  });
  const [a, b] = [sample("a", [44, 90, 42, 60]), sample("b", [99, 46, 80, 99])];
  await compare([a, b], 0);
  assert.equal([a.least, b.least], [42, 46]);
  assert.is(order.join(" "), "a2 b2 a2 b2 a2 b2 a2 b2");
});

test("compare: what is far from the best is not measured again, nor is a single one", async () => {
  const [near, far] = [await calibrate(device(30, 0).timer), await calibrate(device(100, 0).timer)];
  const never: Timer = async () => {
    throw new Error("it should not be asked");
  };
  await compare([near, { ...far, timer: never }], 0);
  await compare([{ ...near, timer: never }], 0);
  // The preferred one may have been unlucky.
  const late = { ...far, least: 100, timer: async () => 25 };
  await compare([late, near], 0);
  assert.is(late.least, 25);
});

test("fastest: the preferred one unless another is clearly faster", () => {
  const of = (ms: Record<string, number>) => fastest(new Map(Object.entries(ms)));
  assert.is(of({ a: 10, b: 9.8, c: 11 }), "a");
  assert.is(of({ a: 10, b: 9, c: 8 }), "c");
  assert.is(of({ a: 0 }), "a");
  assert.is(of({ a: 5, b: 0 }), "b");
  assert.is(of({}), undefined);
});

test.run();
