import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { diffInstructLoss } from "../../../plugins/losses/diffInstruct.ts";
import { sidLoss } from "../../../plugins/losses/sid.ts";
import { diffInstruct } from "../../../plugins/methods/diffInstruct.ts";
import { fastgenDmd2 } from "../../../plugins/methods/fastgenDmd2.ts";
import { sid, sida } from "../../../plugins/methods/sid.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";
import { createdRun, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods (SiD, SiDA, Diff-Instruct, FastGen's DMD2)");

test("the recipes: one update of the critic for each of the generator, levels and rates of the codes", () => {
  for (const [recipe, sigma, names] of [
    [diffInstruct, 1, ["edm-denoising", "diff-instruct", "fake-denoising"]],
    [sid, 2.5, ["edm-denoising", "fake-denoising", "sid"]],
    [sida, 2.5, ["edm-denoising", "fake-denoising", "sid"]],
  ] as const) {
    const { config, losses } = resolvedRecipe(recipe);
    assert.equal(config.method.ttur, { critic: 1, generator: 1, exclusive: false });
    assert.is(config.method.criticImages, "fresh");
    assert.equal(config.generator.sigmas, [sigma]);
    assert.is(config.optimizers.generator.lr, 1e-5);
    assert.equal(losses.map(([name]) => name).sort(), [...names].sort());
  }
  const { config } = resolvedRecipe(fastgenDmd2);
  assert.equal(config.method.ttur, { critic: 4, generator: 1, exclusive: true });
  assert.is(config.method.first, "critic");
  assert.is(config.losses["gan-discriminator"].features, "teacher");
  assert.is(config.losses["distribution-matching"].epsilon, 1e-6);
});

/** Value and gradient at x of a loss whose teacher and critic multiply by a number. */
async function at(plugin: ReturnType<typeof sidLoss>, teacher: number, critic: number) {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 3], numbers([4, 3]));
  const by = (factor: number) => ({ denoise: (xt: Tensor) => mul(xt, factor) });
  const [found] = compose({ sample: [3], condition: {}, sigmaData: 0.5 }, plugin).all(LOSSES);
  const context = { generated: { x, condition: {} }, teacher: by(teacher), critic: by(critic), noise: feed.noise() };
  const loss = found.compute(context as unknown as LossContext);
  return evaluate({ loss, dx: grad(loss, [x])[0] }, feed);
}

test("while the critic is the teacher, value and gradient are exactly 0", async () => {
  for (const plugin of [sidLoss({ alpha: 1 }), sidLoss(), diffInstructLoss()]) {
    const { loss, dx } = await at(plugin, 0.5, 0.5);
    assert.equal([...loss].map(Math.abs), [0]);
    if (plugin.name === "diff-instruct" || plugin.options.alpha === 1) assert.ok(dx.every((each) => each === 0));
  }
});

test("a critic that is off moves samples", async () => {
  for (const plugin of [sidLoss(), diffInstructLoss()]) {
    const { dx } = await at(plugin, 0.5, 0.6);
    assert.ok(dx.every((each) => Number.isFinite(each) && each !== 0));
  }
});

test("what goes wrong is said when the run is made", async () => {
  const refused = async (recipe: typeof sid, config: object) =>
    (
      await createdRun(recipe, config)
        .then((run) => run.start())
        .catch((error) => error)
    )?.message;
  assert.match(await refused(sid, { losses: { sid: { sigmaMax: 0.001 } } }), /sigmaMin should be the lower/);
  const short = { teacher: { use: "gaussian-mixture" }, train: { steps: 2, batch: 4, evaluateCount: 4 } };
  assert.match(
    await refused(sid, { ...short, critic: { use: "discriminator" } }),
    /^Cannot denoise with the critic discriminator: it has no fake score/,
  );
});

test.run();
