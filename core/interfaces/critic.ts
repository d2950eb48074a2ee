import { type Token, token } from "../di/token.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Condition } from "./condition.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Role } from "./role.ts";

/** The fake score D_fake, trained on the generator's samples, with a discriminator on its features. */
export interface CriticNetwork extends Denoiser {
  /** Logit of "x is real" for a noisy x [B, …] at sigma [B] → [B, 1]. */
  discriminate(x: Tensor, sigma: Tensor, condition: Condition): Tensor;
  /** The same logit from features that another network, such as the teacher, has made of x → [B, 1]. */
  judge?(features: Tensor): Tensor;
}

/** Samples in noise: xt [B, …] at levels sigma [B]. */
export interface Noisy {
  readonly xt: Tensor;
  readonly sigma: Tensor;
}

/** A critic that judges steps of a sampler, not images. */
export interface StepJudge {
  /** Logit of "the teacher has made this step" [B, 1]; `from` is absent where it sees the end alone. */
  judgeStep(from: Noisy | undefined, to: Noisy, condition: Condition): Tensor;
}

/** The part of the critic: it learns what the generator makes. */
export interface Critic extends Role<CriticNetwork> {}

/** The critic of the run. */
export const CRITIC: Token<Critic> = token<Critic>("critic");
