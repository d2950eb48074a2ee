import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dmd, dmd2 } from "../../../plugins/methods/dmd2.ts";
import { ganAlone, ganTtur } from "../../../plugins/methods/ganAlone.ts";
import { ladd } from "../../../plugins/methods/ladd.ts";
import { finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods (recipes)");

test("dmd2: five to one on shared images, the GAN beside distribution matching", () => {
  const { config, losses } = resolvedRecipe(dmd2);
  assert.is(config.method.use, "dmd2");
  assert.equal(config.method.ttur, { critic: 5, generator: 1, exclusive: false });
  assert.is(config.method.criticImages, "shared");
  assert.equal(losses, [
    ["edm-denoising", 1],
    ["distribution-matching", 1],
    ["fake-score", 1],
    ["gan-generator", 3e-3],
    ["gan-discriminator", 1e-2],
  ]);
  assert.is(config.losses["distribution-matching"].minStep, 0.02);
  assert.is(config.critic.head, true);
  assert.equal(config.generator.sigmas, [80]);
});

test("dmd: one to one, regression, no GAN", () => {
  const { config, losses } = resolvedRecipe(dmd);
  assert.is(config.method.use, "dmd2");
  assert.equal(config.method.ttur, { critic: 1, generator: 1, exclusive: false });
  assert.equal(losses, [
    ["edm-denoising", 1],
    ["distribution-matching", 1],
    ["fake-score", 1],
    ["regression", 0.25],
  ]);
  assert.is(config.losses.regression.distance, "lpips");
  assert.is(config.critic.head, false);
});

test("ladd: the GAN of FastGen's DMD2 alone, a head on the teacher's features, noise of its own", () => {
  const { config, losses } = resolvedRecipe(ladd);
  assert.equal(losses, [
    ["edm-denoising", 1],
    ["gan-generator", 1],
    ["gan-discriminator", 1],
  ]);
  assert.is(config.critic.use, "discriminator");
  assert.equal(config.method.ttur, { critic: 4, generator: 1, exclusive: true });
  for (const loss of ["gan-generator", "gan-discriminator"]) {
    const { features, noise, minStep, maxStep } = config.losses[loss];
    assert.equal([features, noise, minStep, maxStep], ["teacher", "own", 0.002, 0.999]);
  }
});

test("ladd runs: the head inherits nothing from the teacher, so it is not begun from it", async () => {
  const { states } = await finished(ladd, {}, { teacher: 2, steps: 5 });
  assert.not.equal(states.generator, states.teacher);
});

test("GAN alone and with two time scales: DMD2 without matching, the fake score stays", () => {
  for (const [recipe, critic] of [
    [ganAlone, 1],
    [ganTtur, 5],
  ] as const) {
    const { config, losses } = resolvedRecipe(recipe);
    assert.equal(config.method.ttur, { critic, generator: 1, exclusive: false });
    assert.equal(losses, [
      ["edm-denoising", 1],
      ["fake-score", 1],
      ["gan-generator", 3e-3],
      ["gan-discriminator", 1e-2],
    ]);
  }
});

test.run();
