import { grad } from "../../../core/graph/mod.ts";
import { TEACHER } from "../../../core/interfaces/mod.ts";
import { mul, sum } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { edmCondition, edmDataShape, edmNetwork } from "../edmNetwork.ts";
import { compose, evaluateOn, Feed } from "../feed.ts";
import type { GoldenCase } from "../goldenCase.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";

/** Denoised images of EDM's networks, with and without labels, and the gradients of images and weights. */
export const edmNetworksKind: Kind = {
  name: "edm networks",
  matches: ({ group, config }) => /edm-nets/.test(group) && "model_type" in config && !("P_mean" in config),
  run: runNetwork,
};

async function runNetwork(job: Job): Promise<void> {
  const { reference, backend, check } = job;
  const inputs = inputsOf(job);
  const feed = new Feed();
  const container = compose(edmDataShape(reference.config), edmNetwork(reference.config), edm());
  const weights = feed.weights("w.", (name) => inputs.f32(`w.${name}`));
  const teacher = container.get(TEACHER).bind(weights.scope);
  const given = (name: string) => feed.tensor(name, inputs.shape(name), inputs.f32(name));
  const [x, sigma] = [given("in.x"), given("in.sigma")];
  const denoised = teacher.denoise(x, sigma, edmCondition(feed, inputs));
  const outputs: Record<string, () => Tensor> = {
    D_x: () => denoised,
    D_x_nolabel: () => teacher.denoise(x, sigma, {}),
  };

  const wanted: Record<string, Tensor> = {};
  for (const name of [...reference.names("out."), ...reference.names("f64.out.")]) {
    const make = outputs[name.replace(/^(f64\.)?out\./, "")];
    if (!make) throw new Unsupported(`networks have no output ${name}`);
    wanted[name] = make();
  }
  const gradients = reference.names("grad.");
  if (gradients.length > 0) {
    const source = (name: string) => {
      if (name === "grad.in.x") return x;
      const found = weights.tensors.get(name.slice("grad.w.".length));
      if (!found) throw new Error(`${reference.name}: the network has no parameter for ${name}`);
      return found;
    };
    const found = grad(sum(mul(denoised, given("gout"))), gradients.map(source));
    for (const [i, name] of gradients.entries()) wanted[name] = found[i];
  }
  const result = await evaluateOn(backend, wanted, feed);
  for (const [name, values] of Object.entries(result)) check(values, name);
}

/** The case that holds weights and inputs: its own file, or for `*_grads` that of the forward pass. */
function inputsOf({ reference, set }: Job): GoldenCase {
  if (reference.has("in.x")) return reference;
  const { weights_file: file } = reference.config;
  return set.case((file ?? reference.name.replace(/_grads$/, "")).replace(/\.safetensors$/, ""));
}
