import { positionalFrequencies, sinusoid, timestepEmbedding } from "../../../core/nn/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";

/** Sinusoids of timesteps, as diffusers makes them, and of EDM's cNoise. */
export const timestepEmbeddingsKind: Kind = {
  name: "timestep embeddings",
  matches: ({ file }) => file.startsWith("timestep_embeddings"),
  run: runEmbeddings,
};

interface SubCase {
  readonly id: string;
  readonly dim: number;
  /** EDM's positional embedding. */
  readonly endpoint?: boolean;
  /** Diffusers' timestep embedding. */
  readonly flip_sin_to_cos?: boolean;
  readonly downscale_freq_shift?: number;
  readonly max_period?: number;
}

async function runEmbeddings({ reference, backend, check }: Job): Promise<void> {
  const feed = new Feed();
  const inputs: Record<string, Tensor> = {};
  const given = (name: string) =>
    (inputs[name] ??= feed.tensor(name, reference.shape(name), reference.f64(name)));
  const outputs: Record<string, Tensor> = {};
  for (const sub of reference.config.cases as readonly SubCase[])
    outputs[`out.${sub.id}`] = embeddingOf(sub, given);
  const result = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(result)) check(values, name);
}

function embeddingOf(sub: SubCase, given: (name: string) => Tensor): Tensor {
  if (sub.flip_sin_to_cos !== undefined)
    return timestepEmbedding(given("in.timesteps"), {
      width: sub.dim,
      first: sub.flip_sin_to_cos ? "cos" : "sin",
      shift: sub.downscale_freq_shift,
      maxPeriod: sub.max_period,
    });
  if (sub.endpoint === undefined) throw new Unsupported(`${sub.id}: no such embedding`);
  const { endpoint } = sub;
  return sinusoid(
    given("in.c_noise"),
    positionalFrequencies(Math.floor(sub.dim / 2), { endpoint }),
  );
}
