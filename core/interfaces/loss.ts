import { type ListToken, listToken } from "../di/token.ts";
import type { NoiseSource } from "../diffusion/noiseSource.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Condition } from "./condition.ts";
import type { CriticNetwork } from "./critic.ts";
import type { Denoiser } from "./denoiser.ts";
import type { GeneratorNetwork } from "./generator.ts";
import type { RoleName } from "./role.ts";

/** Images with what they show. */
export interface Images {
  /** [B, …] */
  readonly x: Tensor;
  readonly condition: Condition;
}

/**
 * What a loss can see. Only the parameters of the loss's own role get a gradient; everything else is frozen.
 * Values are made when first asked for, so a loss that does not look at real images costs no upload.
 */
export interface LossContext {
  readonly generator: GeneratorNetwork;
  readonly teacher: Denoiser;
  readonly critic: CriticNetwork;
  /** The generator's images; differentiable for the generator, detached for the critic. */
  readonly generated: Images;
  /** A batch of the dataset. */
  readonly real: Images;
  /** Every draw of a loss comes from here, so that a run repeats. */
  readonly noise: NoiseSource;
  /** Takes a number that is worth watching beside the loss, a tensor with one element; it never changes the update. */
  report?(name: string, value: Tensor): void;
}

/** One term of a role's objective. */
export interface Loss {
  /** Shown in progress and event log. */
  readonly name: string;
  readonly role: RoleName;
  /** Factor in the role's total; 0 removes the term from the graph. */
  readonly weight: number;
  /** A tensor with one element. */
  compute(context: LossContext): Tensor;
}

export const LOSSES: ListToken<Loss> = listToken<Loss>("losses");
