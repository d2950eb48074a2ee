import { positionalFrequencies, sinusoid, timestepEmbedding } from "../../../core/nn/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { ignore, only, type Settings } from "../settings.ts";

/** Sinusoids of timesteps, as diffusers makes them, and of EDM's cNoise. */
export const timestepEmbeddingsKind: Kind = {
  name: "timestep embeddings",
  matches: ({ file }) => file.startsWith("timestep_embeddings"),
  run: runEmbeddings,
};

async function runEmbeddings({ reference, backend, check, each }: Job): Promise<void> {
  await each(async (sub) => {
    const feed = new Feed();
    const given = (name: string) => feed.tensor(name, reference.shape(name), reference.f64(name));
    const { out } = await evaluateOn(backend, { out: embeddingOf(sub, given) }, feed);
    check(out, `out.${sub.id}`);
  });
}

function embeddingOf(sub: Settings, given: (name: string) => Tensor): Tensor {
  if (sub.flip_sin_to_cos !== undefined)
    return timestepEmbedding(given("in.timesteps"), {
      width: sub.dim,
      first: sub.flip_sin_to_cos ? "cos" : "sin",
      shift: sub.downscale_freq_shift,
      maxPeriod: sub.max_period,
    });
  ignore(sub, "order"); // the one order of this embedding
  if (sub.endpoint === undefined) throw new Unsupported("no such embedding");
  const { endpoint } = sub;
  only(sub, "max_period", 10000);
  return sinusoid(given("in.c_noise"), positionalFrequencies(Math.floor(sub.dim / 2), { endpoint }));
}
