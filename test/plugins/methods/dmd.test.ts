import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../../core/plugin/mod.ts";
import { resolveConfig } from "../../../core/train/config/config.ts";
import { dmd } from "../../../plugins/methods/dmd.ts";
import { allPlugins } from "../../../plugins/mod.ts";

const test = suite("plugins/methods/dmd");

test("is a complete config but for dataset and network: one to one, regression, no GAN", () => {
  const { plugins, settings } = resolveConfig(
    { ...dmd, dataset: { use: "gaussians" }, network: { use: "mlp" } },
    new Registry().register(allPlugins),
  );
  assert.equal(settings.ttur, { critic: 1, generator: 1, exclusive: false });
  const losses = plugins.filter(({ kind }) => kind === "loss");
  assert.equal(
    losses.map(({ name, options }) => [name, options.weight]),
    [
      ["edm-denoising", 1],
      ["distribution-matching", 1],
      ["fake-score", 1],
      ["regression", 0.25],
    ],
  );
  assert.is(losses[3].options.distance, "lpips");
});

test.run();
