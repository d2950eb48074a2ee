import { type Token, token } from "../di/token.ts";
import type { NoiseSource } from "../diffusion/noiseSource.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Condition } from "./condition.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Images } from "./loss.ts";
import type { Role } from "./role.ts";

/** The few-step network that a method trains. */
export interface GeneratorNetwork extends Denoiser {
  /**
   * `count` images as training sees them, differentiable in the generator's parameters.
   * @param real as many real images of that condition, where it starts from them
   */
  generate(count: number, condition: Condition, noise: NoiseSource, real?: Images): Tensor;
  /** Whether `generate` needs real images. */
  readonly startsFromReal?: boolean;
}

export interface Generator extends Role<GeneratorNetwork> {
  /** Noise levels at which it is called when sampling, decreasing; its NFE is their number. */
  readonly sigmas: readonly number[];
  /** A sampler starts from startScale · ε; sigmas[0] when absent. */
  readonly startScale?: number;
  /** Noise level that its predictions keep, which a sampler of several levels takes into account; 0 when absent. */
  readonly floor?: number;
  /** Levels of the steps that `generate` trains, by the places of its samples, [count]; absent where they are drawn. */
  rungs?(count: number): Tensor;
}

export const GENERATOR: Token<Generator> = token<Generator>("generator");
