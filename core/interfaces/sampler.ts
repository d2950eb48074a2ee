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

/** What a step leaves behind: the samples, and what later steps of a multistep method need. */
export interface Advanced {
  /** [B, …] */
  readonly x: Tensor;
  /** New values of carried tensors, each shaped like x; those left out keep theirs. */
  readonly carried: Readonly<Record<string, Tensor>>;
}

/** One step as a function of tensors: x [B, …], its numbers as scalars, and the carried tensors as the last step left them. */
export type SamplerRule = (
  x: Tensor,
  values: Readonly<Record<string, Tensor>>,
  model: SamplerModel,
  carried: Readonly<Record<string, Tensor>>,
) => Tensor | Advanced;

/**
 * Turns noise into samples with a denoiser. A rule is traced once and replayed for every step that uses it, with the
 * step's numbers as scalar tensors.
 */
export interface Sampler {
  /** The first noise level. */
  readonly sigmaMax: number;
  /** x starts as startScale · ε; sigmaMax when absent. A variance-preserving x starts as 1 · ε. */
  readonly startScale?: number;
  readonly steps: readonly SamplerStep[];
  /** x after the step, and what it hands on. */
  readonly rules: Readonly<Record<string, SamplerRule>>;
  /** Names of the tensors, shaped like x, that steps of a multistep method hand on; undefined before a rule sets them. */
  readonly carried?: readonly string[];
}

/** The sampler used for the teacher. The generator brings its own noise levels. */
export const SAMPLER: Token<Sampler> = token<Sampler>("sampler");
