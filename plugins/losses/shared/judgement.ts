import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Condition, LossContext, Noisy } from "../../../core/interfaces/mod.ts";
import { add, neg, relu, softplus, sub } from "../../../core/ops/mod.ts";
import { choice, extractedOptions, type OptionsOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { type Extracted, extractedFeatures } from "./extracted.ts";
import { untold } from "./guidance.ts";

/** Options of how the discriminator judges, the same for both GAN losses of a run. */
export const judgementOptions = {
  objective: choice(["softplus", "hinge"], {
    default: "softplus",
    about: "the game: non-saturating softplus, or hinge",
  }),
  features: choice(["critic", "teacher"], {
    default: "critic",
    about: "whose encoder it reads: the critic's, which learns with it, or the frozen teacher's",
  }),
  ...extractedOptions,
};

type Options = OptionsOf<typeof judgementOptions>;

/** The game of a loss, with the frozen network whose features it reads where it names one. */
export interface Game extends Pick<Options, "objective" | "features"> {
  readonly extracted?: Extracted;
}

/** @throws E_OPTION for an extractor of noisy samples, which it was not made for, or of others than it can read */
export function gameOf(
  owner: string,
  { objective, features, ...options }: Options,
  diffused: boolean,
  container: Resolver,
): Game {
  if (options.extractor === "") return { objective, features };
  if (diffused)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: it reads the extractor ${options.extractor} and diffused is true, an extractor should see clean images`,
      { fix: `set losses.${owner}.diffused=false` },
    );
  return { objective, features, extracted: extractedFeatures(owner, options, container) };
}

/**
 * Logits [B, 1] of a noisy batch.
 * @throws E_CONFIG for features of a teacher that has none, or a critic that can't judge them
 */
export function logits(
  { features, extracted }: Game,
  { teacher, critic }: Pick<LossContext, "teacher" | "critic">,
  { xt, sigma }: Noisy,
  condition: Condition,
): Tensor {
  if (extracted && critic.judge) return critic.judge(extracted.features(xt));
  if (extracted)
    throw failure("E_CONFIG", "Cannot discriminate on an extractor's features: this critic judges only its own", {
      fix: "set critic.use=discriminator and critic.extractor to the same",
    });
  if (features === "critic") return critic.discriminate(xt, sigma, condition);
  if (!teacher.features || !critic.judge)
    throw failure(
      "E_CONFIG",
      `Cannot discriminate on the teacher's features: this ${teacher.features ? "critic judges only its own" : "teacher has none"}`,
      { fix: "set features=critic for both GAN losses" },
    );
  return critic.judge(teacher.features(xt, sigma, untold(condition)));
}

/**
 * What the generator minimises of a logit l for its samples:
 *   softplus(−l), Goodfellow et al. 2014, arXiv:1406.2661, as DMD2 has it;   or −l, Lim & Ye 2017, arXiv:1705.02894
 */
export const fooling = ({ objective }: Pick<Game, "objective">, l: Tensor): Tensor =>
  objective === "hinge" ? neg(l) : softplus(neg(l));

/** What the discriminator minimises: softplus(l_fake) + softplus(−l_real), or max(0, 1 + l_fake) + max(0, 1 − l_real). */
export const judging = ({ objective }: Pick<Game, "objective">, real: Tensor, fake: Tensor): Tensor =>
  objective === "hinge" ? add(relu(add(fake, 1)), relu(sub(1, real))) : add(softplus(fake), softplus(neg(real)));
