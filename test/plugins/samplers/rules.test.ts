import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  churned,
  derived,
  eulerStep,
  eulerTo,
  midpointStep,
  noised,
  withChurn,
  withNoise,
} from "../../../plugins/samplers/shared/rules.ts";

const test = suite("plugins/samplers/shared/rules");

test("the same rule always makes the same one, so that equal steps share a program", () => {
  assert.is(withChurn(eulerStep), withChurn(eulerStep));
  assert.is(withNoise(withChurn(eulerStep)), withNoise(withChurn(eulerStep)));
  const all = [eulerStep, midpointStep].flatMap((rule) => [rule, withChurn(rule), withNoise(rule)]);
  assert.is(new Set(all).size, 6);
  assert.is(withNoise(withChurn(eulerStep)).name, "eulerStep after churn and noise");
  const other = derived("after churn", (rule) => (x, values, model, carried) => rule(x, values, model, carried));
  assert.is.not(other(eulerStep), withChurn(eulerStep));
});

test("a step without noise keeps its rule, so that it counts as deterministic", () => {
  const step = eulerTo(4, 1);
  assert.equal(step, { rule: eulerStep, values: { sigma: 4, keep: 0.25 } });
  assert.equal([churned(step, 0), noised(step, 0)], [step, step]);
  assert.equal(churned(step, 3).values, { sigma: 4, keep: 0.25, rise: 3 });
  assert.equal(noised(step, 2), {
    rule: withNoise(eulerStep),
    values: { sigma: 4, keep: 0.25, up: 2 },
  });
});

test.run();
