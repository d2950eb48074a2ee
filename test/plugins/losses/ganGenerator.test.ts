import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { mul, reshape, sum } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { ganGenerator } from "../../../plugins/losses/ganGenerator.ts";
import { hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";
import { Dmd2Case } from "./golden.ts";

const test = suite("plugins/losses/ganGenerator");

const lossOf = (options?: Parameters<typeof ganGenerator>[0]) =>
  compose({ sample: [3], classes: 0, sigmaData: 0.5 }, ganGenerator(options)).all(LOSSES)[0];

test("is a well-formed plugin", () => checkPlugin(ganGenerator, { diffused: false, maxStep: 0.5 }));

test("at logit 0 the loss is ln 2 and its slope −½: x moves to where the logit grows", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 3], numbers([4, 3]));
  const slope = feed.tensor("slope", [1, 3], [0, 0, 0]);
  const logit = (xt: Tensor) => reshape(sum(mul(xt, slope), { axes: [1] }), [xt.shape[0], 1]);
  const loss = lossOf({ diffused: false }).compute({
    generated: { x, condition: {} },
    critic: { discriminate: logit },
    noise: feed.noise(),
  } as unknown as LossContext);
  const { value, dSlope } = await evaluate({ value: loss, dSlope: grad(loss, [slope])[0] }, feed);
  assert.ok(Math.abs(value[0] - Math.LN2) < 1e-6);
  const means = [0, 1, 2].map(
    (i) => [0, 1, 2, 3].reduce((s, b) => s + feed.values.x[3 * b + i], 0) / 4,
  );
  for (const i of [0, 1, 2]) assert.ok(Math.abs(dSlope[i] + 0.5 * means[i]) < 1e-6);
});

for (const [name, diffused] of [
  ["dmd_gan_clean", false],
  ["dmd_gan_diffusion", true],
] as const) {
  const check = hasGolden(name) ? test : test.skip;
  check(`${name}: loss and gradient of the image agree with the official code`, async () => {
    const official = new Dmd2Case(name);
    const generated = official.images("in.fake_image", "in.fake_labels");
    const noise = diffused
      ? official.noise(["rand.gen.noise"], ["rand.gen.timesteps"])
      : official.noise([], []);
    const loss = lossOf({ diffused }).compute(official.context({ generated, noise }));
    const result = await evaluate({ loss, dx: grad(loss, [generated.x])[0] }, official.feed);
    official.reference.within(result.loss, "f64.out.gen_cls_loss");
    official.reference.within(result.dx, "grad.gen.in.fake_image");
  });
}

test.run();
