import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig } from "../../../../core/train/mod.ts";
import { presets } from "../../../../examples/cli/presets.ts";
import { loadRegistry } from "../../../../examples/cli/registry.ts";
import { references } from "../../../../examples/presets/bands/mod.ts";
import { bandText, referenceOf } from "../../../../plugins/observers/view/reference.ts";

const test = suite("observers/view/reference");

test("the bands of each preset are of the preset as it is", async () => {
  for (const { preset, bands } of references) {
    const { config } = resolveConfig(await presets[preset].config(), await loadRegistry());
    const found = referenceOf(config, references);
    assert.is(found?.preset, preset);
    assert.equal(
      found?.differs,
      [],
      "settings that are others than when the bands were made: `node build.mjs soak bands`",
    );
    for (const [key, band] of Object.entries(bands))
      for (const [step, low, high] of band) assert.ok(step >= 0 && low <= high, `${key} at ${step}`);
  }
});

const known = [
  { preset: "a", runs: 3, bands: {}, settings: { "dataset.use": "d", "method.use": "m", "network.use": "n", lr: 1 } },
  { preset: "b", runs: 3, bands: {}, settings: { "dataset.use": "d", "method.use": "m", "network.use": "n", lr: 2 } },
];
const config = { dataset: { use: "d" }, method: { use: "m" }, network: { use: "n" } };

test("a run is compared with the preset that it differs from least, and told in what", () => {
  const found = referenceOf({ ...config, lr: 2, train: { seed: 9 }, losses: { more: { weight: 1, x: 2 } } }, known);
  assert.equal([found?.preset, found?.differs], ["b", ["losses.more"]]);
  // An option that came after the preset's runs says nothing.
  assert.equal(referenceOf({ ...config, lr: 1, later: 0 }, known)?.differs, []);
  assert.equal(referenceOf({ ...config, lr: 3 }, known)?.differs, ["lr"]);
  assert.match(bandText(found!), /3 runs of the preset b, from which this run differs in losses\.more$/);
});

test("a run on other data, or by another method, is compared with none", () => {
  assert.is(referenceOf({ ...config, dataset: { use: "other" } }, known), undefined);
  assert.is(referenceOf({}, known), undefined);
});

test.run();
