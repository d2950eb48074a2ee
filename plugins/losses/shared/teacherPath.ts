/** The path that a sampler takes from noise, inside the update of a loss. */
import { failure } from "../../../core/errors.ts";
import type { Condition, Denoiser, Sampler } from "../../../core/interfaces/mod.ts";
import { broadcastTo, constant, mul, reshape } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** A sample that a step of the sampler begins from, x0 + σ·ε, [B, …]; samplers of x_t say by `widen` how it comes from that. */
export interface PathState {
  readonly x: Tensor;
  /** Its noise level; undefined where the rule of the step has no number of that name. */
  readonly sigma?: number;
}

/** What a sampler makes of noise. */
export interface TeacherPath {
  /** Where each step begins; the first is the noise itself, times the sampler's start scale. */
  readonly states: readonly PathState[];
  /** Where the last one ends, [B, …]. */
  readonly y: Tensor;
}

/**
 * Takes every step of a sampler, one after the other in the same program: as many denoiser calls as a sample costs.
 * @param z ε ~ N(0, I), [B, …]
 * @throws E_CONFIG in the name of `owner` when the sampler draws fresh noise on its way, so that y does not follow from z
 */
export function teacherPath(
  owner: string,
  { sigmaMax, startScale = sigmaMax, steps, carried = [] }: Sampler,
  { denoise }: Denoiser,
  z: Tensor,
  condition: Condition,
): TeacherPath {
  const model = {
    denoise: (x: Tensor, sigma: Tensor) =>
      denoise(x, broadcastTo(reshape(sigma, [1]), { shape: [z.shape[0]] }), condition),
    noise(): Tensor {
      throw failure(
        "E_CONFIG",
        `Cannot use ${owner}: the sampler draws fresh noise on its way, so that samples do not follow from noise; expected a deterministic one`,
        { fix: "use heun or euler with churn=0, or ddim with eta=0" },
      );
    },
  };
  const states: PathState[] = [];
  let x = mul(z, startScale);
  let kept = Object.fromEntries(carried.map((name) => [name, constant(0, "f32", z.shape)]));
  for (const { rule, values } of steps) {
    const { sigma, widen = 1 } = values;
    states.push({ x: widen === 1 ? x : mul(x, widen), sigma });
    const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, constant(value)]));
    const next = rule(x, numbers, model, kept);
    if ("carried" in next) kept = { ...kept, ...next.carried };
    x = "carried" in next ? next.x : next;
  }
  return { states, y: x };
}
