import { discreteTable } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, GENERATOR, type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { constantArray, mean, reshape, takeRows } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { consistencyLosses } from "./shared/consistency.ts";
import { huberDistance, sampleDistances } from "./shared/distillation.ts";
import { drawnScale, guidedByScale } from "./shared/guidance.ts";
import { skippingSteps } from "./shared/latentConsistency.ts";
import { ddimTo } from "./shared/pathSteps.ts";

/**
 * Latent consistency distillation: consistency along DDIM's steps of a guided teacher, which skip timesteps.
 *   (t, t′) of n strides over the timesteps;   x_t = x + σ_t·ε;   w ~ U[guidanceMin, guidanceMax] of the generator;   D_w = D_∅ + w·(D_c − D_∅)
 *   x_{t′} = D_w + (σ_{t′}/σ_t)(x_t − D_w);   L = mean √(d² + c²) − c,   d = f(x_t; σ_t, w) − sg f⁻(x_{t′}; σ_{t′}, w)
 * f⁻ is the generator's average with the label `target`, or the generator itself. The teacher, `edm` or `guided` at scale 1, brings
 * no guidance of its own. Timesteps are those of the process, of Stable Diffusion where it has none, up to the generator's first
 * level. x [B, …] real → scalar. Gradient to the generator only. Luo et al. 2023, arXiv:2310.04378, Algorithm 1.
 */
export const latentConsistencyLoss = definePlugin({
  name: "latent-consistency",
  kind: "loss",
  about: "Makes the generator give the same sample at both ends of a guided DDIM step that skips timesteps",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    target: text({
      default: "target",
      about: "label of the generator's average that it is held to; `generator` is the generator itself",
    }),
    grid: number({ default: 50, min: 1, integer: true, about: "steps n that the timesteps are divided into" }),
    distance: choice(["huber", "l2"], { default: "huber", about: "Huber's, or the mean square" }),
    huberC: number({ default: 1e-3, above: 0, about: "c of Huber's distance" }),
  },
  create({ weight, target, grid, distance, huberC }, container): Loss {
    const [shape, process, generator] = [container.get(DATA_SHAPE), container.get(PROCESS), container.get(GENERATOR)];
    const scale = drawnScale("latent-consistency", container);
    const levels = process.sigmas ?? discreteTable().sigmas;
    const top = generator.sigmas[0] * (1 + 1e-6);
    const steps = skippingSteps(process.count ?? levels.length, grid).filter(({ from }) => levels[from] <= top);
    if (steps.length === 0)
      throw failure(
        "E_OPTION",
        `Cannot configure latent-consistency: grid is ${grid}, whose lowest timestep is noisier than the generator's first level ${generator.sigmas[0]}`,
        { fix: "use a larger grid, or a higher generator.sigmas" },
      );
    const tables = (["from", "to"] as const).map((end) =>
      constantArray(
        steps.map((step) => levels[step[end]]),
        [steps.length, 1],
      ),
    );
    return {
      name: "latent-consistency",
      role: "generator",
      weight,
      heeds: ["guidance"],
      compute({ real: { x, condition: asked }, generator, teacher, average, noise }) {
        const [B] = x.shape;
        const index = noise.integers(B, 0, steps.length);
        const [sigma, next] = tables.map((table): Tensor => reshape(takeRows(table, index), [B]));
        const eps = noise.normalLike(x);
        const condition = { ...asked, ...scale(noise, B) };
        const held = target === "generator" ? generator : average("generator", target);
        const losses = consistencyLosses(
          { x, eps, sigma, next, condition },
          { generator, target: held, teacher: guidedByScale(teacher, shape.condition) },
          { distance: distance === "huber" ? huberDistance(huberC) : sampleDistances.l2, step: ddimTo },
        );
        return mean(losses);
      },
    };
  },
});
