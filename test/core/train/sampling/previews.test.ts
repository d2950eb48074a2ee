import { suite } from "uvu";
import * as assert from "uvu/assert";
import { previewsOf } from "../../../../core/train/sampling/previews.ts";

const test = suite("core/train/sampling/previews");

const stage = { steps: 2000, batch: 32, samplerSteps: 18, sample: [1, 16, 16], every: undefined };
const dueIn = (given: Parameters<typeof previewsOf>[0]) => {
  const previews = previewsOf(given);
  const steps = Array.from({ length: given.steps }, (_, i) => i + 1);
  return previews && [previews.count, ...steps.filter((done) => previews.isDue(done))];
};

test("without a word: half, quarter, eighth, sixteenth, for at most 2 % of the work", () => {
  assert.equal(dueIn(stage), [40, 500, 1000]);
  assert.equal(dueIn({ ...stage, steps: 1000, samplerSteps: 1 }), [40, 63, 125, 250, 500]);
  assert.is(dueIn({ ...stage, steps: 500 }), undefined);
  assert.is(dueIn({ ...stage, steps: 0 }), undefined);
  assert.equal(dueIn({ ...stage, steps: 5000, batch: 256, samplerSteps: 40, sample: [2] })?.length, 5);
});

test("every so many steps, or never", () => {
  assert.equal(dueIn({ ...stage, steps: 10, every: 4 }), [100, 4, 8]);
  for (const every of [0, 10, 11]) assert.is(dueIn({ ...stage, steps: 10, every }), undefined);
});

test.run();
