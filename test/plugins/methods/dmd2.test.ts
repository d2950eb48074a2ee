import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../../core/plugin/mod.ts";
import { resolveConfig } from "../../../core/train/config/config.ts";
import { dmd2 } from "../../../plugins/methods/dmd2.ts";
import { allPlugins } from "../../../plugins/mod.ts";

const test = suite("plugins/methods/dmd2");

const registry = new Registry().register(allPlugins);

test("is a complete config but for dataset and network", () => {
  const { plugins, settings } = resolveConfig(
    { ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp" } },
    registry,
  );
  assert.is(settings.ttur.critic, 5);
  const options = Object.fromEntries(plugins.map((plugin) => [plugin.name, plugin.options]));
  assert.is(options["gan-generator"].weight, 3e-3);
  assert.is(options["gan-discriminator"].weight, 1e-2);
  assert.is(options["distribution-matching"].minStep, 0.02);
});

test.run();
