import { type Token, token } from "../di/token.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What one step of a sampler may do. */
export interface SamplerModel {
  /** D(x; sigma); sigma is a scalar tensor. Counted: one NFE. */
  denoise(x: Tensor, sigma: Tensor): Tensor;
  /** Fresh ε ~ N(0, I) shaped like the samples. */
  noise(): Tensor;
}

/** One step: which traced rule, with which numbers. */
export interface SamplerStep<Rule extends string = string> {
  readonly rule: Rule;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Turns noise into samples with a denoiser. A rule is traced once and replayed for every step that uses it, with the
 * step's numbers as scalar tensors.
 */
export interface Sampler {
  /** x starts as sigmaMax · ε. */
  readonly sigmaMax: number;
  readonly steps: readonly SamplerStep[];
  /** x after the step. x [B, …] */
  readonly rules: Readonly<
    Record<
      string,
      (x: Tensor, values: Readonly<Record<string, Tensor>>, model: SamplerModel) => Tensor
    >
  >;
}

/** The sampler used for the teacher. The generator brings its own noise levels. */
export const SAMPLER: Token<Sampler> = token<Sampler>("sampler");
