/** Features whose moments a Fréchet distance compares, and the moments that the critic `feature-moments` keeps of them. */
import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { CriticNetwork, Images, Loss, LossContext } from "../../../core/interfaces/mod.ts";
import { add, constant, div, mean, mul } from "../../../core/ops/mod.ts";
import { extractedOptions, number, type OptionsOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { extractedFeatures } from "./extracted.ts";
import type { Moments } from "./frechetLoss.ts";

/** Options of both losses, which should be the same. */
export const momentOptions = {
  ...extractedOptions,
  sigma: number({ default: 0.2, above: 0, about: "noise level at which the teacher's features are read" }),
  memory: number({
    default: 0.99,
    min: 0,
    max: 0.9999,
    about: "share of the moments that stays from turn to turn; 0 compares the batch alone",
  }),
};

/** The critic's moments of each side, and how much of them is known, [1]. */
export interface KeptMoments {
  readonly generated: Moments;
  readonly real: Moments;
  readonly known: Tensor;
}

/** How a loss reads features, with the frozen weights that it needs. */
export interface MomentReader extends Pick<Loss, "frozen" | "load"> {
  /** Features [B, d] of samples [B, …]; maps are averaged over their places. */
  read(context: Pick<LossContext, "teacher">, images: Images): Tensor;
}

/** @throws as `extractorOf`, and E_CONFIG in a trace for a teacher without features */
export function momentReader(
  owner: string,
  { extractor, tap, sigma }: OptionsOf<typeof momentOptions>,
  container: Resolver,
): MomentReader {
  const flat = (f: Tensor) => (f.shape.length > 2 ? mean(f, { axes: f.shape.map((_, axis) => axis).slice(2) }) : f);
  if (extractor !== "") {
    const extracted = extractedFeatures(owner, { extractor, tap }, container);
    return { frozen: extracted.frozen, load: extracted.load, read: (_, { x }) => flat(extracted.features(x)) };
  }
  return {
    read({ teacher }, { x, condition }) {
      if (!teacher.features)
        throw failure("E_CONFIG", `Cannot use ${owner}: this teacher has no features`, {
          fix: `set losses.${owner}.extractor to one that reads the samples, or use a teacher that is a network`,
        });
      return flat(teacher.features(x, constant(sigma, "f32", [x.shape[0]]), condition));
    },
  };
}

/** @throws E_CONFIG in the name of `owner` for a critic that keeps none */
export function keptMoments(owner: string, critic: CriticNetwork): KeptMoments {
  const kept = critic as unknown as Partial<KeptMoments>;
  if (kept.generated && kept.real && kept.known) return kept as KeptMoments;
  throw failure("E_CONFIG", `Cannot use ${owner}: the critic keeps no moments of features`, {
    fix: "set critic.use=feature-moments",
  });
}

/** How much is known after another batch, [1], and the share of that batch in it. */
export function nextShares(known: Tensor, memory: number): { readonly known: Tensor; readonly batch: Tensor } {
  const next = add(mul(known, memory), 1 - memory);
  return { known: next, batch: div(1 - memory, next) };
}
