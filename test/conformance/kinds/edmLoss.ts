import { edmProcess, logNormal } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext, TEACHER } from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { sizeOf, type Tensor } from "../../../core/tensor/mod.ts";
import { edmDenoising, weightedSquares } from "../../../plugins/losses/edmDenoising.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { edmCondition, edmDataShape, edmNetwork } from "../edmNetwork.ts";
import { compose, evaluateOn, Feed, GivenNoise } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";

/** EDM's training loss with the reference's draws: the error of every pixel, their sum, the gradient of every weight. */
export const edmLossKind: Kind = {
  name: "edm loss",
  matches: ({ group, config }) => /edm-nets/.test(group) && "model_type" in config && "P_mean" in config,
  run: runLoss,
};

async function runLoss({ reference, set, backend, check }: Job): Promise<void> {
  const { config } = reference;
  const stored = set.case(config.weights_file.replace(/\.safetensors$/, ""));
  const options = { pMean: config.P_mean, pStd: config.P_std };
  const shape = edmDataShape(config);
  const container = compose(shape, edmNetwork(config), edm(), edmDenoising(options));
  const feed = new Feed();
  const weights = feed.weights("w.", (name) => stored.f32(`w.${name}`));
  const given = (name: string, as = reference.shape(name)) => feed.tensor(name, as, reference.f32(name));
  const x = given("in.images");
  const draws = [given("rand.rnd_normal", [x.shape[0]]), given("rand.noise")];
  const teacher = container.get(TEACHER).bind(weights.scope);
  const context = () =>
    ({
      real: { x, condition: edmCondition(feed, reference) },
      teacher,
      noise: new GivenNoise(draws),
    }) as unknown as LossContext;

  const [loss] = container.all(LOSSES);
  // Theirs is summed over the elements of a sample, ours is their mean.
  const scalar = mul(loss.compute(context()), sizeOf(shape.sample));
  const known: Record<string, () => Tensor> = {
    scalar: () => scalar,
    loss_elementwise: () =>
      weightedSquares(context(), logNormal(options.pMean, options.pStd), edmProcess(shape.sigmaData)),
  };
  const outputs: Record<string, Tensor> = {};
  for (const name of [...reference.names("out."), ...reference.names("f64.out.")]) {
    const make = known[name.replace(/^(f64\.)?out\./, "")];
    if (!make) throw new Unsupported(`the loss has no output ${name}`);
    outputs[name] = make();
  }
  const gradients = reference.names("grad.w.");
  const parameters = gradients.map((name) => {
    const found = weights.tensors.get(name.slice("grad.w.".length));
    if (!found) throw new Error(`${reference.name}: the network has no parameter for ${name}`);
    return found;
  });
  const found = grad(scalar, parameters);
  for (const [i, name] of gradients.entries()) outputs[name] = found[i];
  const result = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(result)) check(values, name);
}
