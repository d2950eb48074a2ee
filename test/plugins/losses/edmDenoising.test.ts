import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext, TEACHER } from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { edmDenoising } from "../../../plugins/losses/edmDenoising.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { golden, hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, GivenNoise, labelsOf } from "../support.ts";

const test = suite("plugins/losses/edmDenoising");

test("is a well-formed plugin", () => checkPlugin(edmDenoising, { pMean: -0.4, pStd: 1 }));

test("trains the teacher, on real data", async () => {
  const feed = new Feed();
  const [loss] = compose({ sample: [1], classes: 0, sigmaData: 0.5 }, edmDenoising()).all(LOSSES);
  assert.is(loss.role, "teacher");
  const x = feed.tensor("x", [1, 1], [0.3]);
  // ln σ = −1.2 + 1.2·1 = 0: σ = 1, x_t = 0.3 − 2, λ = 5; D = 2·x_t
  const noise = new GivenNoise([feed.tensor("n", [1], [1]), feed.tensor("e", [1, 1], [-2])]);
  const context = {
    real: { x, condition: {} },
    teacher: { denoise: (xt: Tensor) => mul(xt, 2) },
    noise,
  } as unknown as LossContext;
  const { value } = await evaluate({ value: loss.compute(context) }, feed, "f64");
  assert.ok(Math.abs(value[0] - 5 * (2 * -1.7 - 0.3) ** 2) < 1e-5, `${value[0]}`);
});

const check = hasGolden("edm_loss_adm") ? test : test.skip;
check("edm_loss_adm: loss and the gradient of every weight agree with NVlabs/edm", async () => {
  const reference = golden("edm_loss_adm");
  const { config } = reference;
  const stored = golden("edm_adm_multihead");
  const container = compose(
    { sample: [3, 16, 16], classes: config.label_dim, sigmaData: config.sigma_data },
    adm({
      channels: config.model_channels,
      channelMult: config.channel_mult,
      channelMultEmb: config.channel_mult_emb,
      blocks: config.num_blocks,
      attention: config.attn_resolutions,
      channelsPerHead: config.channels_per_head,
    }),
    edm(),
    edmDenoising({ pMean: config.P_mean, pStd: config.P_std }),
  );
  const feed = new Feed();
  const weights = feed.weights("w.", (name) => stored.f32(`w.${name}`));
  const tensor = (name: string, shape = reference.shape(name)) =>
    feed.tensor(name, shape, reference.f32(name));
  const [loss] = container.all(LOSSES);
  const labels = labelsOf(reference.f32("in.class_labels"), config.label_dim);
  const value = loss.compute({
    real: { x: tensor("in.images"), condition: feed.label("label", labels) },
    teacher: container.get(TEACHER).bind(weights.scope),
    noise: new GivenNoise([tensor("rand.rnd_normal", [3]), tensor("rand.noise")]),
  } as unknown as LossContext);
  // Theirs is summed over the 768 elements of a sample, ours is their mean.
  const names = [...weights.tensors.keys()];
  const gradients = grad(mul(value, 768), [...weights.tensors.values()]);
  const outputs = Object.fromEntries(names.map((name, i) => [name, gradients[i]]));
  const result = await evaluate<Record<string, Tensor>>(
    { ...outputs, scalar: mul(value, 768) },
    feed,
  );
  reference.within(result.scalar, "f64.out.scalar");
  for (const name of names) reference.within(result[name], `grad.w.${name}`);
});

test.run();
