import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  beside,
  bootstrapInterval,
  meanNumbers,
  partsInterval,
  partsNumbers,
  partsOf,
  rowsOfPart,
} from "../../../../plugins/metrics/shared/intervals.ts";
import { normals } from "../clouds.ts";

const test = suite("plugins/metrics/shared/intervals");

test("of a mean: 1.96 deviations over the root of the number, and 0 for equal values", () => {
  for (const count of [100, 2000]) {
    const values = normals(count, 1, 3).map((each) => 5 + 2 * each);
    const mean = values.reduce((a, b) => a + b) / count;
    const deviation = Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / count);
    const wanted = (1.96 * deviation) / Math.sqrt(count);
    assert.ok(Math.abs(bootstrapInterval(values) / wanted - 1) < 0.08, `${bootstrapInterval(values)} ${wanted}`);
  }
  assert.is(bootstrapInterval([3, 3, 3]), 0);
  assert.is(bootstrapInterval([3]), 0);
  assert.equal(meanNumbers("a", [1, 1]), { a: 1, "a ±": 0 });
});

test("the interval of a share holds the true one in about 95 of 100 sets", () => {
  const uniform = normals(100 * 200, 1, 5).map((each) => Number(each > 0.8416)); // 0.2 of them
  let held = 0;
  for (let set = 0; set < 100; set++) {
    const values = uniform.subarray(200 * set, 200 * (set + 1));
    const { a, "a ±": half } = meanNumbers("a", values);
    if (Math.abs(a - 0.2) <= half) held++;
  }
  assert.ok(held >= 89 && held <= 99, `${held}`);
});

test("of parts: t · s/√n", () => {
  assert.ok(Math.abs(partsInterval([1, 2, 3]) - (4.303 * 1) / Math.sqrt(3)) < 1e-12);
  assert.is(partsInterval([2, 2, 2, 2, 2]), 0);
  assert.equal(partsNumbers("d", 7, []), { d: 7 });
  assert.equal(Object.keys(partsNumbers("d", 7, [6, 8])), ["d", beside("d")]);
});

test("parts: every row once, every class in each where classes come in turn, two samples at least", () => {
  assert.equal([partsOf(100, 5), partsOf(7, 5), partsOf(3, 5), partsOf(100, 1), partsOf(100, 0)], [5, 3, 0, 0, 0]);
  const rows = { data: [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], D: 2 };
  const [one, other] = [0, 1].map((part) => [...(rowsOfPart(rows, part, 2).data as Float64Array)]);
  assert.equal([one.length, other.length], [6, 4]);
  assert.equal([...one, ...other].sort(), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], "each row once");
});

test("each part has some of every class, whether classes come in turn or one after the other", () => {
  for (const label of [(i: number) => i % 10, (i: number) => Math.floor(i / 100)])
    for (let part = 0; part < 5; part++) {
      const { data } = rowsOfPart({ data: Float64Array.from({ length: 1000 }, (_, i) => label(i)), D: 1 }, part, 5);
      const counts = Array.from(
        { length: 10 },
        (_, each) => [...(data as Float64Array)].filter((found) => found === each).length,
      );
      assert.ok(Math.min(...counts) > 5 && Math.max(...counts) < 40, `${counts}`);
    }
});

test.run();
