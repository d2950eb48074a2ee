import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../../core/plugin/mod.ts";
import { mergeConfig, resolveConfig } from "../../../core/train/mod.ts";
import { allPlugins, dmd2 } from "../../../plugins/all.ts";
import { profileLines, profileSettings, profiles } from "../../../plugins/profiles/mod.ts";

const test = suite("plugins/profiles");

const registry = new Registry().register(allPlugins);
const base = { ...dmd2, dataset: { use: "mnist" }, network: { use: "adm", channelMult: [1, 2] } };
const resolved = (name: string, over: object = {}) =>
  resolveConfig(mergeConfig(mergeConfig(base, profiles[name].config), over), registry).config;

for (const [name, profile] of Object.entries(profiles)) {
  test(`${name}: every option exists, and takes effect`, () => {
    assert.is(profile.name, name);
    const settings = profileSettings(profile, resolved(name));
    assert.ok(settings.length > 30);
    assert.equal(
      settings.filter(({ same }) => !same),
      [],
    );
    assert.match(profileLines(profile, resolved(name))[0], /all settings are its own$/);
  });
}

test("where the sources differ, as spec and code have it", () => {
  const at = (name: string, path: string) =>
    profileSettings(profiles[name], resolved(name)).find((each) => each.path === path)?.actual;
  const rows: [path: string, paper: unknown, code: unknown, fastgen: unknown][] = [
    ["critic.tap", "middle", "encoder", "encoder"],
    ["generator.drawStep", "sample", "batch", "sample"],
    ["generator.inputs", "simulated", "simulated", "real-always"],
    ["losses.distribution-matching.epsilon", 0, 0, 1e-6],
    ["losses.fake-score.target", "network", "network", "x0"],
    ["losses.gan-generator.weight", 3e-3, 3e-3, 1e-3],
    ["losses.gan-discriminator.weight", 1e-2, 1e-2, 1],
    ["losses.gan-discriminator.features", "critic", "critic", "teacher"],
    ["losses.gan-generator.noise", "own", "own", "shared"],
    ["method.ttur.critic", 5, 5, 4],
    ["method.ttur.exclusive", false, false, true],
  ];
  for (const [path, ...expected] of rows)
    assert.equal(
      ["paper", "dmd2-code", "fastgen"].map((name) => at(name, path)),
      expected,
      path,
    );
});

test("deviations are told with what the profile has", () => {
  const config = resolved("dmd2-code", {
    method: { ttur: { critic: 2 } },
    losses: { "gan-generator": false },
    averages: { generator: { use: "ema" } },
  });
  const lines = profileLines(profiles["dmd2-code"], config);
  assert.match(lines[0], /^profile dmd2-code: 8 of 42 settings deviate$/);
  assert.ok(lines.some((line) => /method\.ttur\.critic +2 {3}deviates: dmd2-code has 5$/.test(line)));
  assert.ok(lines.some((line) => /gan-generator\.weight +off {3}deviates: .* 0\.003$/.test(line)));
  assert.ok(lines.some((line) => /averages\.generator +\{"use":"ema".*deviates/.test(line)));
});

test.run();
