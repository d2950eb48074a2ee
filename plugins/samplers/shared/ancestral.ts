/** Steps that go further down than the next level, and up again by fresh noise. */
import { ancestralStep } from "../../../core/diffusion/mod.ts";
import type { Sampler, SamplerRule, SamplerStep } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";

export const ancestralOptions = {
  eta: number({ default: 1, min: 0, about: "share of fresh noise; 0 is none" }),
  noiseScale: number({ default: 1, min: 0, about: "factor on the fresh noise" }),
};

/**
 * Steps and rules of an ancestral sampler on levels σ_0 > … > σ_N:
 *   up = min(σ_next, η √(σ_next² (σ² − σ_next²)/σ²));   down = √(σ_next² − up²);   x ← step(x; σ → down) + up·noiseScale·ε
 * @param stepTo the deterministic step: which rule, with which numbers
 */
export function ancestral(
  sigmas: readonly number[],
  { eta, noiseScale }: OptionsOf<typeof ancestralOptions>,
  stepTo: (sigma: number, down: number) => SamplerStep,
  rules: Readonly<Record<string, SamplerRule>>,
): Pick<Sampler, "steps" | "rules"> {
  const steps = sigmas.slice(0, -1).map((sigma, i): SamplerStep => {
    const { down, up } = ancestralStep(sigma, sigmas[i + 1], eta);
    const { rule, values } = stepTo(sigma, down);
    return up > 0
      ? { rule: `${rule} and noise`, values: { ...values, up: up * noiseScale } }
      : { rule, values };
  });
  return { steps, rules: { ...rules, ...withNoise(rules) } };
}

const withNoise = (rules: Readonly<Record<string, SamplerRule>>): Record<string, SamplerRule> =>
  Object.fromEntries(
    Object.entries(rules).map(([name, rule]) => [
      `${name} and noise`,
      (x, values, model, carried) => {
        const done = rule(x, values, model, carried);
        const noise = mul(values.up, model.noise());
        return "carried" in done ? { ...done, x: add(done.x, noise) } : add(done, noise);
      },
    ]),
  );
