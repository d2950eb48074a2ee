import { type Token, token } from "../di/token.ts";
import type { RawNetwork } from "../diffusion/denoiser.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Condition } from "./condition.ts";
import type { Denoiser } from "./denoiser.ts";

/**
 * The noise process of a run: how a model's raw network and its noise levels fit into D(x; σ), x = x0 + σ·ε, which is all
 * that losses and samplers know. A plugin provides it for models of another kind than EDM's, such as those of timesteps.
 */
export interface NoiseProcess {
  /** The levels that the model knows, increasing, by timestep; absent where it knows all, and losses have their own. */
  readonly sigmas?: readonly number[];
  /**
   * Timesteps T of the model's table, of which `sigmas` lacks the last where it is pure noise and the network can't start there;
   * absent where timesteps only number the levels.
   */
  readonly count?: number;
  /** The network as a denoiser. */
  denoiser(F: RawNetwork): Denoiser;
  /** Features of a noisy image: scaled as the denoiser scales its input, with no output scaling. x [B, …], sigma [B]. */
  features(F: RawNetwork, x: Tensor, sigma: Tensor, condition: Condition): Tensor;
  /** λ(σ), which makes the effective loss of F equal at all levels. sigma [B] → [B, 1, …] of `rank` axes. */
  weight(sigma: Tensor, rank: number): Tensor;
  /** Factor from the model's own noisy image x_t to ours, x0 + σ·ε; 1 for EDM and at σ = 0. x_t = (x0 + σ·ε)/scale. */
  scale(sigma: number): number;
  /** Standard deviation of the noise that a sampler starts from at level σ, where x0 is not known. */
  start(sigma: number): number;
}

/** The run's process: EDM's where no plugin provides another. */
export const PROCESS: Token<NoiseProcess> = token<NoiseProcess>("process");
