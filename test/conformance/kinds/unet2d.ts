import { grad } from "../../../core/graph/mod.ts";
import { type Condition, NETWORK } from "../../../core/interfaces/mod.ts";
import { isLora, type LowRank } from "../../../core/nn/mod.ts";
import { mul, sum } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { compose, evaluateOn, Feed } from "../feed.ts";
import type { Job, Kind } from "../kind.ts";
import { unet2dOf } from "../unet2dConfig.ts";

/** Runs `unet_*`: a U-Net of diffusers, forward and the gradient of everything its case has one for. */
export const unet2dKind: Kind = {
  name: "unet2d",
  matches: ({ file }) => file.startsWith("unet_"),
  run: runUNet,
};

async function runUNet({ reference, backend, check }: Job): Promise<void> {
  const { config } = reference;
  const sample = reference.shape("in.sample");
  const shape = { sample: sample.slice(1), condition: {}, sigmaData: 1 };
  const network = compose(shape, unet2dOf(config)).get(NETWORK);
  const feed = new Feed();
  const weights = feed.weights("w.", (name) => reference.f32(`w.${name}`));
  const { rank, alpha, targets } = config.lora ?? {};
  const lora: LowRank | undefined = config.lora && { rank, alpha, targets };
  const scope = lora ? weights.scope.adapted(lora) : weights.scope;
  const tensor = (name: string): Tensor => feed.tensor(name, reference.shape(name), reference.f32(name));
  const x = tensor("in.sample");
  const timestep = feed.tensor("timestep", [sample[0]], perSample(reference.f64("in.timestep"), sample[0]));
  const condition: Condition = {
    text: tensor("in.encoder_hidden_states"),
    ...(reference.has("in.text_embeds") && { pooled: tensor("in.text_embeds") }),
    ...(reference.has("in.time_ids") && { timeIds: tensor("in.time_ids") }),
  };
  const out = network.apply(scope, x, timestep, condition);
  const outputs: Record<string, Tensor> = { "out.sample": out };
  if (reference.has("gout")) {
    const trained = [...weights.tensors].filter(([name]) => !lora || isLora(name));
    const inputs: [string, Tensor | undefined][] = [
      ["grad.in.sample", x],
      ["grad.in.encoder_hidden_states", condition.text],
      ["grad.in.text_embeds", condition.pooled],
      ...trained.map(([name, node]): [string, Tensor] => [`grad.w.${name}`, node]),
    ];
    const wanted = inputs.filter(([name]) => reference.has(name));
    const gradients = grad(
      sum(mul(out, tensor("gout"))),
      wanted.map(([, node]) => node!),
    );
    for (const [i, [name]] of wanted.entries()) outputs[name] = gradients[i];
  }
  const missing = reference.names("grad.").filter((name) => !(name in outputs));
  const unused = reference.names("w.").filter((name) => !weights.tensors.has(name.slice(2)));
  if (missing.length + unused.length > 0) throw new Error(`the network has no ${[...missing, ...unused].join(", ")}`);
  const results = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(results)) check(values, name);
}

/** One timestep for all is one each. */
const perSample = (values: ArrayLike<number>, count: number): number[] =>
  Array.from({ length: count }, (_, i) => values[i % values.length]);
