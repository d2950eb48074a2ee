import { type Token, token } from "../di/token.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What one step of a sampler may do. */
export interface SamplerModel {
  /**
   * D(x; sigma); sigma is a scalar tensor. Counted: one NFE.
   * @param told numbers of the step, scalar tensors, that the model is told beside the condition of the samples: see `Condition`
   */
  denoise(x: Tensor, sigma: Tensor, told?: Readonly<Record<string, Tensor>>): Tensor;
  /** Fresh ε ~ N(0, I) shaped like the samples. */
  noise(): Tensor;
}

/** What a step leaves behind: the samples, and what later steps of a multistep method need. */
export interface Advanced {
  /** [B, …] */
  readonly x: Tensor;
  /** New values of carried tensors, each shaped like x; those left out keep theirs. */
  readonly carried: Readonly<Record<string, Tensor>>;
}

/**
 * What a step does, as a function of tensors: x [B, …], the step's numbers as scalars, and the carried tensors as the last
 * step left them. Its name labels the program.
 */
export type SamplerRule = (
  x: Tensor,
  values: Readonly<Record<string, Tensor>>,
  model: SamplerModel,
  carried: Readonly<Record<string, Tensor>>,
) => Tensor | Advanced;

/** One step: its rule, with its numbers. Steps with the same function as their rule share one program. */
export interface SamplerStep {
  readonly rule: SamplerRule;
  readonly values: Readonly<Record<string, number>>;
}

/** Turns noise into samples with a denoiser. Each rule is traced once and replayed for every step that has it. */
export interface Sampler {
  /** The first noise level. */
  readonly sigmaMax: number;
  /** x starts as startScale · ε; sigmaMax when absent. An x of variance 1 starts as 1 · ε. */
  readonly startScale?: number;
  readonly steps: readonly SamplerStep[];
  /** Names of the tensors, shaped like x, that steps of a multistep method hand on; undefined before a rule sets them. */
  readonly carried?: readonly string[];
}

/** The sampler used for the teacher. The generator brings its own noise levels. */
export const SAMPLER: Token<Sampler> = token<Sampler>("sampler");
