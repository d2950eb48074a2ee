import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../../core/plugin/mod.ts";
import { type Recipe, resolveConfig } from "../../../core/train/mod.ts";
import { allPlugins, dmd, dmd2 } from "../../../plugins/all.ts";

const test = suite("plugins/methods (recipes)");

const registry = new Registry().register(allPlugins);
/** A recipe is a complete config but for dataset and network: its plugins, and their options by name. */
function resolved(recipe: Recipe) {
  const { plugins, config } = resolveConfig(
    { ...recipe, dataset: { use: "gaussians" }, network: { use: "mlp" } },
    registry,
  );
  const losses = plugins.filter(({ kind }) => kind === "loss");
  return {
    // biome-ignore lint/suspicious/noExplicitAny: a config holds options of any plugin
    config: config as any,
    losses: losses.map(({ name, options }) => [name, options.weight]),
  };
}

test("dmd2: five to one on shared images, the GAN beside distribution matching", () => {
  const { config, losses } = resolved(dmd2);
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
  const { config, losses } = resolved(dmd);
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

test.run();
