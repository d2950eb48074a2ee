// Generators that learn guidance scales, by every method that can teach them, and by some that can't.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Recipe } from "../../../core/train/mod.ts";
import { diffInstruct } from "../../../plugins/methods/diffInstruct.ts";
import { dmd2 } from "../../../plugins/methods/dmd2.ts";
import { fastgenDmd2 } from "../../../plugins/methods/fastgenDmd2.ts";
import { fDistill } from "../../../plugins/methods/fDistill.ts";
import { kd } from "../../../plugins/methods/knowledgeDistillation.ts";
import { ladd } from "../../../plugins/methods/ladd.ts";
import { latentConsistency } from "../../../plugins/methods/latentConsistency.ts";
import { sid } from "../../../plugins/methods/sid.ts";
import { createdRun } from "./support.ts";

const test = suite("plugins/methods (guidance scales)");

const over = {
  dataset: { classes: true },
  network: { labelDropout: 0.1 },
  generator: { sigmas: [10], guidanceScale: 1, guidanceMax: 4 },
};

const teach: Record<string, Recipe> = { dmd2, fastgenDmd2, fDistill, diffInstruct, latentConsistency };
for (const [name, recipe] of Object.entries(teach))
  test(`${name} teaches them: every turn can be traced`, async () => {
    const run = await createdRun(recipe, over);
    await run.dispose();
  });

const cannot: Record<string, [recipe: Recipe, says: RegExp]> = {
  ladd: [ladd, /^Cannot use the losses gan-generator: .* none of them teaches what it means$/],
  sid: [sid, /^Cannot use loss sid: .* of which this loss makes nothing$/],
  kd: [kd, /^Cannot use loss knowledge-distillation: /],
};
for (const [name, [recipe, says]] of Object.entries(cannot))
  test(`${name} does not, and says so when the run is made`, async () => {
    assert.match((await createdRun(recipe, over).catch((error) => error)).message, says);
  });

test.run();
