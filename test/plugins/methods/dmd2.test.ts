import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Turn } from "../../../core/interfaces/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { resolveConfig } from "../../../core/train/config/config.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { dmd, dmd2, type Ttur, tturCycle } from "../../../plugins/methods/dmd2.ts";

const test = suite("plugins/methods/dmd2");

const registry = new Registry().register(allPlugins);

test("is a complete config but for dataset and network", () => {
  const { plugins } = resolveConfig({ ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp" } }, registry);
  const options = Object.fromEntries(plugins.map((plugin) => [plugin.name, plugin.options]));
  assert.equal(options.dmd2.ttur, { critic: 5, generator: 1, exclusive: false });
  assert.is(options["gan-generator"].weight, 3e-3);
  assert.is(options["gan-discriminator"].weight, 1e-2);
  assert.is(options["distribution-matching"].minStep, 0.02);
});

test("DMD's recipe: one to one, regression, no GAN", () => {
  const { plugins } = resolveConfig({ ...dmd, dataset: { use: "gaussians" }, network: { use: "mlp" } }, registry);
  const method = plugins.find(({ kind }) => kind === "method")!;
  assert.equal(method.options.ttur, { critic: 1, generator: 1, exclusive: false });
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

/** Turns of the first steps: g for the generator, c for the critic; capitals hand their images on, or take them over. */
const turnsOf = (cycle: readonly (readonly Turn[])[], steps: number): string =>
  Array.from({ length: steps }, (_, step) =>
    cycle[step % cycle.length]
      .map(({ role, images, keeps }) => (keeps || images === "kept" ? role[0].toUpperCase() : role[0]))
      .join(""),
  ).join(" ");
const ttur = (critic: number, generator = 1, exclusive = false): Ttur => ({
  critic,
  generator,
  exclusive,
});

test("tturCycle: an exclusive cycle may begin with the critic", () => {
  assert.is(turnsOf(tturCycle({ ...ttur(4, 1, true), first: "critic" }), 6), "c c c c g c");
});

test("tturCycle: the generator leads every ratio-th step, the critic is in each", () => {
  const table: [step: number, ratio: number, turns: string][] = [
    [0, 5, "GC"],
    [1, 5, "c"],
    [4, 5, "c"],
    [5, 5, "GC"],
    [3, 1, "GC"],
    [3, 2, "c"],
  ];
  for (const [step, ratio, turns] of table)
    assert.is(turnsOf(tturCycle(ttur(ratio)), step + 1).split(" ")[step], turns);
});

test("tturCycle: a cycle of several generator updates, together or exclusive", () => {
  const shown = (given: Ttur, steps: number) => turnsOf(tturCycle(given), steps);
  assert.is(shown(ttur(5), 6), "GC c c c c GC");
  assert.is(shown(ttur(1), 3), "GC GC GC");
  assert.is(shown(ttur(3, 2), 4), "GC GC c GC");
  assert.is(shown(ttur(1, 3), 4), "GC g g GC");
  // FastGen: four critic updates and one of the generator, in five steps.
  assert.is(shown(ttur(4, 1, true), 6), "g c c c c g");
  assert.is(shown(ttur(1, 2, true), 4), "g g c g");
});

test("tturCycle: fresh images are never kept, in the same turns", () => {
  for (const [critic, generator, exclusive] of [
    [5, 1, false],
    [3, 2, false],
    [1, 3, false],
    [4, 1, true],
    [1, 2, true],
  ] as const) {
    const given = ttur(critic, generator, exclusive);
    const fresh = tturCycle(given, false);
    const shared = turnsOf(tturCycle(given), 6);
    assert.is(turnsOf(fresh, 6), shared.toLowerCase());
    assert.is(fresh.length, exclusive ? critic + generator : Math.max(critic, generator));
  }
});

test.run();
