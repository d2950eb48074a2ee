import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  consistencyTimesteps,
  fallingTimesteps,
  fewStepTimesteps,
  solverTimesteps,
  spacedTimesteps,
} from "../../../core/diffusion/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/diffusion/timesteps");

test("spacedTimesteps: leading, linspace and trailing, as the public schedulers have them", () => {
  assert.equal(spacedTimesteps({ steps: 4, offset: 1 }), [751, 501, 251, 1]);
  assert.equal(spacedTimesteps({ steps: 4, spacing: "linspace" }), [999, 666, 333, 0]);
  assert.equal(spacedTimesteps({ steps: 8, spacing: "trailing" }), [999, 874, 749, 624, 499, 374, 249, 124]);
  assert.equal(spacedTimesteps({ steps: 3, spacing: "linspace" }, false), [999, 499.5, 0]);
});

test("one step is the lowest timestep, but the highest of trailing", () => {
  assert.equal(spacedTimesteps({ steps: 1 }), [0]);
  assert.equal(spacedTimesteps({ steps: 1, spacing: "linspace" }), [0]);
  assert.equal(spacedTimesteps({ steps: 1, spacing: "trailing" }), [999]);
  assert.equal(solverTimesteps({ steps: 1 }), [999]);
});

test("solverTimesteps: evenly spaced, the lowest left out", () => {
  assert.equal(solverTimesteps({ steps: 4 }), [999, 749, 500, 250]);
  assert.equal(solverTimesteps({ steps: 2, spacing: "leading", offset: 1 }), [667, 334]);
});

test("few steps: LCM's grid and DMD2's stride", () => {
  assert.equal(consistencyTimesteps({ steps: 4 }), [999, 759, 499, 259]);
  assert.equal(fewStepTimesteps(4), [999, 749, 499, 249]);
  assert.equal(fewStepTimesteps(1), [999]);
});

test("every spacing: so many, decreasing, within the schedule, for any number of steps", () => {
  for (const count of [1000, 37])
    for (let steps = 1; steps < count; steps += 7)
      for (const spacing of ["leading", "linspace", "trailing"] as const)
        for (const list of [spacedTimesteps({ steps, count, spacing }), solverTimesteps({ steps, count, spacing })]) {
          assert.is(list.length, steps);
          assert.ok(fallingTimesteps("a test", list, count));
        }
});

test("refuses counts of steps, offsets and lists that do not fit", () => {
  const codes = [
    () => spacedTimesteps({ steps: 0 }),
    () => spacedTimesteps({ steps: 1.5 }),
    () => spacedTimesteps({ steps: 1001 }),
    () => spacedTimesteps({ steps: 4, offset: 300 }),
    () => solverTimesteps({ steps: 1000 }),
    () => consistencyTimesteps({ steps: 51 }),
    () => consistencyTimesteps({ steps: 1, grid: 1001 }),
    () => fewStepTimesteps(0),
    () => fallingTimesteps("a test", [], 10),
    () => fallingTimesteps("a test", [3, 3], 10),
    () => fallingTimesteps("a test", [10], 10),
    () => fallingTimesteps("a test", [5, 2.5], 10),
  ].map((run) => thrown(run).code);
  assert.equal([...new Set(codes)], ["E_OPTION"]);
});

test.run();
