import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Duration, Pace } from "../../../backends/webgpu/pace.ts";

const test = suite("backends/webgpu/pace");

/** Work that ends `ms` from now; `asked` tells how long after its start it was first asked for. */
function work(ms: number) {
  const start = performance.now();
  const result = {
    asked: -1,
    ask: async () => {
      result.asked = performance.now() - start;
      const rest = ms - result.asked;
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    },
  };
  return result;
}

test("an estimate is the shortest of the last four, once two are known", () => {
  const duration = new Duration();
  for (const [ms, estimate] of [
    [900, 0],
    [50, 50],
    [60, 50],
    [70, 50],
    [80, 50],
    [90, 60],
  ]) {
    duration.add(ms);
    assert.is(duration.estimate, estimate);
  }
});

test("work of known length is asked for shortly before its end, not before", async () => {
  const pace = new Pace(true);
  const duration = new Duration();
  const asked: number[] = [];
  for (let i = 0; i < 4; i++) {
    const run = work(60);
    pace.submitted(duration);
    await pace.wait(run.ask);
    asked.push(run.asked);
    assert.is(pace.runs, 0);
  }
  assert.ok(asked[0] < 10 && asked[1] < 10, `at first there is nothing to go by: ${asked}`);
  assert.ok(asked[2] > 40 && asked[3] > 40, `then most of the time is slept through: ${asked}`);
});

test("when the work gets shorter, so do the waits", async () => {
  const pace = new Pace(true);
  const duration = new Duration();
  for (let i = 0; i < 4; i++) duration.add(100);
  const start = performance.now();
  for (let i = 0; i < 3; i++) {
    pace.submitted(duration);
    await pace.wait(work(1).ask);
  }
  assert.ok(duration.estimate < 40, `${duration.estimate}`);
  assert.ok(performance.now() - start < 290);
});

test("a hardware device is asked at once", async () => {
  const pace = new Pace(false);
  const duration = new Duration();
  duration.add(500);
  duration.add(500);
  const run = work(1);
  pace.submitted(duration);
  await pace.wait(run.ask);
  assert.ok(run.asked < 100);
});

test.run();
