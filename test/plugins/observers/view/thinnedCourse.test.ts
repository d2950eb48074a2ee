import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ThinnedCourse } from "../../../../plugins/observers/view/thinnedCourse.ts";

const test = suite("observers/view/thinnedCourse");

const course = (values: readonly number[]) => {
  const made = new ThinnedCourse();
  for (const [step, value] of values.entries()) made.add(step, value);
  return made;
};

test("few values are kept as they are, a gap as null", () => {
  assert.equal(course([1, Number.NaN, 3]).stretches(), [
    [0, 1],
    [1, null],
    [2, 3],
  ]);
});

test("of 200,000 values a bounded number of stretches remains, with every extreme and the mean of all", () => {
  const values = Array.from({ length: 200_000 }, (_, i): number => (i % 2 === 0 ? 1 : 3));
  values[77_777] = 1000;
  values[150_001] = -5;
  const made = course(values);
  const stretches = made.stretches();
  assert.ok(stretches.length > 300 && stretches.length <= 600, `${stretches.length} stretches`);
  assert.is(Math.max(...stretches.map(([, , , high]) => high ?? 0)), 1000);
  assert.is(Math.min(...stretches.map(([, , low]) => low ?? 0)), -5);
  const steps = stretches.map(([step]) => step);
  assert.equal(
    steps,
    [...steps].sort((a, b) => a - b),
  );
  assert.is(made.lastStep, 199_999);
  assert.is(made.last, 3);
});

test("a step that comes again takes the place of what was there from it on", () => {
  const made = course([1, 2, 3, 4]);
  made.add(2, 30);
  assert.equal(made.stretches(), [
    [0, 1],
    [1, 2],
    [2, 30],
  ]);
});

test("changes tell from where on a curve is another, and applied one after the other they give the whole", () => {
  const made = new ThinnedCourse();
  let copy: unknown[] = [];
  for (let step = 0; step < 5000; step++) {
    // Once it goes back, as a resumed run does.
    made.add(step < 3000 ? step : step - 500, Math.sin(step));
    if (step % 37 !== 0 && step !== 4999) continue;
    const change = made.takeChanges();
    assert.ok(change);
    copy = [...copy.slice(0, change?.from), ...(change?.stretches ?? [])];
  }
  assert.equal(copy, made.stretches());
  assert.is(made.takeChanges(), undefined);
});

test.run();
