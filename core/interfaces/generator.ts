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

/** The bounds of a number that is drawn evenly between them; always that number where they are equal. */
export interface DrawnNumber {
  readonly least: number;
  readonly most: number;
}

/** The part of the generator: it makes the samples. */
export interface Generator extends Role<GeneratorNetwork> {
  /** Noise levels at which it is called when sampling, decreasing; its NFE is their number. */
  readonly sigmas: readonly number[];
  /** A sampler starts from startScale · ε; sigmas[0] when absent. */
  readonly startScale?: number;
  /** Noise level that its predictions keep, which a sampler of several levels takes into account; 0 when absent. */
  readonly floor?: number;
  /** Levels of the steps that `generate` trains, by the places of its samples, [count]; absent where they are drawn. */
  rungs?(count: number): Tensor;
  /**
   * Numbers that generated images are told besides what the data describe, by their entries of the condition, f32 [B]: every image
   * draws its own. Losses from which the generator learns have to know them (`Loss.heeds`, `Loss.bears`).
   */
  readonly draws?: Readonly<Record<string, DrawnNumber>>;
}

/** The generator of the run. */
export const GENERATOR: Token<Generator> = token<Generator>("generator");
