import { suite } from "uvu";
import * as assert from "uvu/assert";
import { neighbourScores } from "../../../../plugins/metrics/shared/neighbours.ts";

const test = suite("plugins/metrics/shared/neighbours");

const line = (...data: number[]) => ({ data, D: 1 });

test("a set compared with itself has everything", () => {
  const set = line(0, 1, 2, 4, 8, 16);
  const { precision, recall, coverage } = neighbourScores(set, set, 2);
  assert.equal([precision, recall, coverage], [1, 1, 1]);
});

test("sets far apart have nothing", () => {
  const scores = neighbourScores(line(0, 1, 2, 3), line(100, 101, 102), 1);
  assert.equal(Object.values(scores), [0, 0, 0, 0]);
});

test("copies: of all real samples, density (k + 1)/k and coverage 1; of one, coverage falls and precision does not", () => {
  const set = line(0, 1, 3, 7, 15, 31);
  const same = neighbourScores(set, set, 2);
  // Each ball holds its own centre and its k neighbours.
  assert.equal([same.density, same.coverage], [3 / 2, 1]);
  // 1 lies in the balls of 0, 1 and 3: 0 ± 3, 1 ± 2, 3 ± 3; in that of 7 ± 6, too.
  const one = neighbourScores(set, line(1, 1, 1, 1, 1, 1), 2);
  assert.equal([one.precision, one.density, one.coverage], [1, 4 / 2, 4 / 6]);
});

test("by hand, k = 1", () => {
  // Balls: 0 ± 1, 1 ± 1, 10 ± 9 around real samples, 0.5 ± 0.1, 0.6 ± 0.1, 40 ± 39.4 around generated ones.
  const { precision, recall, density, coverage } = neighbourScores(line(0, 1, 10), line(0.5, 0.6, 40), 1);
  assert.is(precision, 2 / 3);
  assert.is(recall, 2 / 3); // 1 and 10 are 39 and 30 away from 40
  assert.ok(Math.abs(density - 4 / 3) < 1e-12);
  assert.is(coverage, 2 / 3);
});

test.run();
