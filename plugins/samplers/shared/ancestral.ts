/** Steps that go further down than the next level, and up again by fresh noise. */
import { ancestralStep } from "../../../core/diffusion/mod.ts";
import type { SamplerStep } from "../../../core/interfaces/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";
import { noised } from "./rules.ts";

export const ancestralOptions = {
  eta: number({ default: 1, min: 0, about: "share of fresh noise; 0 is none" }),
  noiseScale: number({ default: 1, min: 0, about: "factor on the fresh noise" }),
};

/**
 * Steps of an ancestral sampler on levels σ_0 > … > σ_N:
 *   up = min(σ_next, η √(σ_next² (σ² − σ_next²)/σ²));   down = √(σ_next² − up²);   x ← step(x; σ → down) + up·noiseScale·ε
 * @param stepTo the deterministic step
 */
export const ancestralSteps = (
  sigmas: readonly number[],
  { eta, noiseScale }: OptionsOf<typeof ancestralOptions>,
  stepTo: (sigma: number, down: number) => SamplerStep,
): SamplerStep[] =>
  sigmas.slice(0, -1).map((sigma, i) => {
    const { down, up } = ancestralStep(sigma, sigmas[i + 1], eta);
    return noised(stepTo(sigma, down), up * noiseScale);
  });
