/** Samplers on Gaussian data N(m, s²), of which the denoiser, the probability flow and every moment are known. */
import * as assert from "uvu/assert";
import { discreteTable, mixingAt, perSample } from "../../../core/diffusion/mod.ts";
import { type Denoiser, SAMPLER, type Sampler } from "../../../core/interfaces/mod.ts";
import { add, div, mul, square } from "../../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../../core/plugin/mod.ts";
import { discrete } from "../../../plugins/processes/discrete.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";
import { trace } from "./run.ts";

export const [MEAN, DEVIATION] = [0.3, 0.5];

/** D(x; σ) = (s²·x + σ²·m)/(s² + σ²). x [B, 1], sigma [B]. */
export const gaussianDenoiser: Denoiser = {
  denoise(x, sigma) {
    const noise = square(perSample(sigma, 2));
    return div(add(mul(x, DEVIATION ** 2), mul(noise, MEAN)), add(noise, DEVIATION ** 2));
  },
};

/** Where the probability flow takes x from one level to another: x − m grows as √(s² + σ²). */
export const flowed = (x: number, from: number, to: number): number =>
  MEAN + ((x - MEAN) * Math.hypot(DEVIATION, to)) / Math.hypot(DEVIATION, from);

/** D(x; σ) on the host. */
export const denoised = (x: number, sigma: number): number =>
  (DEVIATION ** 2 * x + sigma ** 2 * MEAN) / (DEVIATION ** 2 + sigma ** 2);

/** The sampler that a plugin provides for samples of one number, under a noise process if it is not EDM's. */
export const samplerOf = (plugin: ConfiguredPlugin, ...process: ConfiguredPlugin[]): Sampler =>
  compose({ sample: [1], condition: {}, sigmaData: DEVIATION }, plugin, ...process).get(SAMPLER);

/** The same under a process of discrete timesteps. */
export const discreteSamplerOf = (plugin: ConfiguredPlugin, options?: Parameters<typeof discrete>[0]): Sampler =>
  samplerOf(plugin, discrete(options));

/** Options of `steps` levels that fall from 10 to END by one factor. */
export const evenLevels = (steps: number): { sigmas: number[]; end: number } => ({
  sigmas: Array.from({ length: steps }, (_, i) => 10 * (END / 10) ** (i / steps)),
  end: END,
});
export const END = 0.1;

/** 999, 999 − stride, …, `steps` of them. */
export const evenTimesteps = (steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => 999 - i * Math.floor(1000 / steps));

/** The table of the process's defaults, and how a timestep of it mixes. */
export const table = discreteTable();
export const mixing = (timestep: number) => mixingAt(table, timestep);

export interface Samples {
  /** Starting noise, of variance 1. */
  readonly eps: Float32Array;
  readonly x: Float32Array;
  readonly nfe: number;
}

/** What a run starts from and draws. */
interface Given {
  readonly eps?: Float32Array;
  /** ε of a step, one number a sample. */
  readonly noise?: (step: number) => Float32Array;
  readonly denoiser?: Denoiser;
}

/** Samples in float64, from the start that the sampler asks for. */
export async function samples(
  sampler: Sampler,
  {
    eps = numbers([6, 1]),
    noise = (step) => numbers([eps.length, 1], step + 1),
    denoiser = gaussianDenoiser,
  }: Given = {},
): Promise<Samples> {
  const feed = new Feed();
  const shape = [eps.length, 1];
  const start = mul(feed.tensor("eps", shape, eps), sampler.startScale ?? sampler.sigmaMax);
  const { x, nfe } = trace(sampler, denoiser, start, (step) => feed.tensor(`noise${step}`, shape, noise(step)));
  return { eps, nfe, ...(await evaluate({ x }, feed, "f64")) };
}

/**
 * Mean and deviation of the samples, exactly: with a linear denoiser x = c + Σ_j k_j ε_j over the draws, the start and one a
 * step, so the mean is c and the variance Σ k_j². Sample 0 has no draws, sample j only draw j, which is 1.
 */
export async function momentsOf(sampler: Sampler): Promise<{ mean: number; deviation: number }> {
  const count = sampler.steps.length + 2;
  const only = (draw: number) => Float32Array.from({ length: count }, (_, i) => +(i === draw));
  const { x } = await samples(sampler, { eps: only(1), noise: (step) => only(step + 2) });
  const [mean, ...rest] = x;
  return { mean, deviation: Math.hypot(...rest.map((each) => each - mean)) };
}

/** How far the samples' deviation is from that of the data at level `end`. */
export async function deviationError(sampler: Sampler, end = 0): Promise<number> {
  const { deviation } = await momentsOf(sampler);
  return Math.abs(deviation - Math.hypot(DEVIATION, end));
}

/** Fails unless the samples have the data's mean and deviation but for `bias`, which a finite number of steps leaves. */
export async function assertMoments(sampler: Sampler, bias: number): Promise<void> {
  const { mean, deviation } = await momentsOf(sampler);
  assert.ok(Math.abs(mean - MEAN) < bias, `mean ${mean}`);
  assert.ok(Math.abs(deviation - DEVIATION) < bias, `deviation ${deviation}`);
}

/** The largest distance of deterministic samples from the probability flow, taken to level `end`. */
export async function flowError(sampler: Sampler, end: number): Promise<number> {
  const { eps, x } = await samples(sampler);
  const { sigmaMax, startScale } = sampler;
  // ε alone stands for (x0 + σ·ε)/√(1 + σ²).
  const scale = startScale === 1 ? Math.hypot(1, sigmaMax) : sigmaMax;
  return Math.max(...eps.map((each, i) => Math.abs(x[i] - flowed(each * scale, sigmaMax, end))));
}

/** Fails unless twice the steps divide the error by 2^order, to a quarter in the exponent. */
export async function assertOrder(order: number, error: (steps: number) => Promise<number>, steps = 20): Promise<void> {
  const [coarse, fine] = [await error(steps), await error(2 * steps)];
  assert.ok(fine > 1e-6, `${fine} is rounding`);
  const found = Math.log2(coarse / fine);
  assert.ok(Math.abs(found - order) < 0.25, `order ${found}, not ${order}`);
}

/** Fails unless all numbers agree within a float32's rounding of results of size 1. */
export function assertSame(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.is(found.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(found[i] - expected[i]) < 1e-5, `${found[i]}, not ${expected[i]}`);
}
