import { suite } from "uvu";
import * as assert from "uvu/assert";
import { input } from "../../../core/ops/mod.ts";
import { isFinitePositive, nextScale } from "../../../core/optim/mod.ts";
import { interpret } from "../../helpers/interpret.ts";

const test = suite("core/optim/lossScale");

const [x, good, finite] = [input("x", []), input("good", []), input("finite", [])];

test("isFinitePositive: NaN and infinity are not, zero and the very large are", () => {
  const of = (value: number) => interpret([isFinitePositive(x)], { x: Float64Array.of(value) })[0][0];
  assert.equal([0, 1e-30, 1, 3e38].map(of), [1, 1, 1, 1]);
  assert.equal([Number.NaN, Infinity].map(of), [0, 0]);
});

test("nextScale: half after an overflow, the double after 2000 good updates, within bounds", () => {
  const next = nextScale(x, good, finite);
  const after = (scale: number, count: number, sound: boolean) =>
    interpret([next.scale, next.good], {
      x: Float64Array.of(scale),
      good: Float64Array.of(count),
      finite: Float64Array.of(Number(sound)),
    }).map(([value]) => value);
  assert.equal(after(1024, 7, true), [1024, 8]);
  assert.equal(after(1024, 1998, true), [1024, 1999]);
  assert.equal(after(1024, 1999, true), [2048, 0]);
  assert.equal(after(2 ** 24, 1999, true), [2 ** 24, 0]);
  assert.equal(after(1024, 1999, false), [512, 0]);
  assert.equal(after(1, 3, false), [1, 0]);
});

test.run();
