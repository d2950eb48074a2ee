import { readdirSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Container } from "../../../core/di/mod.ts";
import { MONITORS, type Reading } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { Watchers } from "../../../core/train/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { bandsOf } from "../../soak/healthBands.ts";
import { readRecorded } from "../../soak/healthRecords.ts";

const test = suite("plugins/monitors");
const plugins = allPlugins.filter(({ definition }) => definition.kind === "monitor");
/** Made by `node build.mjs soak health --record DIR`. */
const RECORDED = "test/plugins/monitors/recorded";
const recorded = readdirSync(RECORDED).map((name) => readRecorded(`${RECORDED}/${name}`));

function monitors() {
  const container = new Container();
  for (const plugin of plugins) plugin.configure({}).install(container);
  return container.all(MONITORS);
}
/** What monitors say of readings: `name at step`. */
function said(readings: readonly Reading[]): string[] {
  const watchers = new Watchers(monitors());
  return readings.flatMap((reading) => {
    const { warnings, faults } = watchers.take(reading);
    assert.equal(faults, []);
    return warnings.map(({ monitor, step }) => `${monitor} at ${step}`);
  });
}
const namesOf = (warnings: readonly string[]) => new Set(warnings.map((each) => each.replace(/ at .*/, "")));

/** A run that is well, as numbers of step / steps. */
const well: Readonly<Record<string, (part: number, i: number) => number>> = {
  "generator/distribution-matching": () => 0.2,
  "generator/gan-generator": () => 0.8,
  "generator/gradient-norm": (_, i) => 0.3 + 0.3 * (i % 2),
  "critic/fake-score": (part) => 0.3 + 0.2 * part,
  "critic/gan-discriminator": () => 1.3,
  "critic/gradient-norm": () => 0.4,
  "generator/weight-norm": (part) => 10 + 5 * part,
  "samples/brightness": () => 0.02,
  "samples/contrast": (part) => Math.min(1, 0.5 + 4 * part),
  "samples/distance": (part) => Math.min(1, 0.2 + 6 * part),
  "samples/class-distance": (part) => Math.min(1, 0.2 + 6 * part),
  "samples/outside": () => 0.01,
  "samples/moved": (part) => 0.2 - 0.1 * part,
  "samples/turned": () => 0.1,
};
const COUNT = 50;
const run = (changes: Partial<typeof well> = {}): Reading[] =>
  Array.from({ length: COUNT }, (_, i) => ({
    stage: "distillation",
    step: 20 * i,
    steps: 20 * COUNT,
    values: Object.fromEntries(Object.entries({ ...well, ...changes }).map(([name, at]) => [name, at!(i / COUNT, i)])),
  }));
/** A value that changes a third into the run. */
const then = (before: number, after: number) => (part: number) => (part < 1 / 3 ? before : after);

test("each is a well-formed plugin", () => {
  assert.ok(plugins.length > 0);
  for (const plugin of plugins) checkPlugin(plugin);
});

test("a run that is well is told nothing, and neither is one of which little is known", () => {
  assert.equal(said(run()), []);
  assert.equal(said(run().map((reading) => ({ ...reading, values: {} }))), []);
});

const faults: Readonly<Record<string, Partial<typeof well>>> = {
  collapse: { "samples/class-distance": then(0.9, 0.2) },
  saturation: { "samples/outside": then(0.02, 0.3) },
  brightness: { "samples/brightness": then(0, -0.8) },
  oscillation: { "samples/moved": then(0.2, 0.5), "samples/turned": then(0.1, -0.6) },
  gradients: { "generator/gradient-norm": then(0.4, 40) },
  weights: { "generator/weight-norm": then(10, 16) },
  losses: { "generator/distribution-matching": then(0.2, 2) },
  discriminator: { "critic/gan-discriminator": then(1.3, 0.1) },
  "critic-lag": { "critic/fake-score": then(0.3, 1.5) },
};
for (const [name, changes] of Object.entries(faults))
  test(`${name} sees its fault within seven readings of it, and no other monitor speaks`, () => {
    const warnings = said(run(changes));
    assert.equal([...namesOf(warnings)], [name]);
    assert.is(warnings.length, 1);
    const step = Number(warnings[0].replace(/.* at /, ""));
    assert.ok(step > (20 * COUNT) / 3 && step <= (20 * COUNT) / 3 + 7 * 20, `at ${step}`);
  });

test("every monitor has its fault here", () => {
  // The last has a test of its own: it looks at what is judged now and then.
  assert.equal(
    [...Object.keys(faults), "diversity"].sort(),
    monitors()
      .map(({ name }) => name)
      .sort(),
  );
});

test("a critic that stays what it began with leaves a gradient of zero", () => {
  assert.equal([...namesOf(said(run({ "generator/distribution-matching": () => 0 })))], ["critic-lag"]);
});

test("every threshold stands well beyond what recorded good runs reach", () => {
  const bands = bandsOf(
    plugins,
    recorded.filter(({ healthy }) => healthy).map(({ readings }) => readings),
  );
  assert.equal([...new Set(bands.map(({ monitor }) => monitor))].sort(), Object.keys(faults).sort());
  for (const { monitor, option, margin } of bands) assert.ok(margin >= 1.35, `${monitor}.${option}: ${margin}`);
});

test("recorded runs: silent where all was well, flagged before half of the run where not", () => {
  assert.ok(recorded.length > 0);
  for (const { healthy, run, readings } of recorded) {
    const warnings = said(readings);
    if (healthy) assert.equal(warnings, [], run);
    else
      assert.ok(
        warnings.some((each) => Number(each.replace(/.* at /, "")) < readings[0].steps / 2),
        run,
      );
  }
});

test("a distance that falls while diversity falls is told, either alone is not", () => {
  const judged = (distance: (part: number) => number, recall: (part: number) => number) =>
    run().map((reading, i) =>
      i % 10 === 5
        ? {
            ...reading,
            values: { ...reading.values, "judged/fid": distance(i / COUNT), "judged/recall": recall(i / COUNT) },
          }
        : reading,
    );
  const [falling, rising] = [(part: number) => 0.9 - part / 2, (part: number) => 0.4 + part / 2];
  assert.equal(said(judged(falling, falling)), ["diversity at 500"]);
  assert.equal(said(judged(falling, rising)), []);
  assert.equal(said(judged(rising, falling)), []);
  assert.equal(said(judged(falling, () => 0.5)), []);
});

test.run();
