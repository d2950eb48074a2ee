import { checkGuidable } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, type Denoiser, DROPOUT, type Loss, NETWORK } from "../../core/interfaces/mod.ts";
import { add, clamp, constant, mean, mul, sub } from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, number, optional } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { guidedAt } from "./shared/guidance.ts";
import { angleOf, scmLosses, tangentByDifferences, tangentByJvp, trigNetwork } from "./shared/trigFlow.ts";

/**
 * sCM: makes a consistency model of the generator in continuous time, by the tangent of its answer along the path
 * (shared/trigFlow.ts). ln σ ~ N(pMean, pStd²);   x̂ = cos θ·x + sin θ·σd·ε, θ = arctan(σ/σd)
 *   dx̂/dθ = cos θ·σd·ε − sin θ·x from the data (sCT), or σd·F of the teacher (sCD), guided by `guidanceScale`
 * x [B, …] real → scalar. Gradient to the generator only, which must have a log-variance: the generator `scm`.
 * Lu & Song 2024, arXiv:2410.11081, Algorithm 1, with the settings for CIFAR-10 in NVlabs/FastGen.
 */
export const scmLoss = definePlugin({
  name: "scm",
  kind: "loss",
  about: "Makes the generator's answer constant along paths, in continuous time",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    velocity: choice(["data", "teacher"], { default: "teacher", about: "whose path it follows: sCT or sCD" }),
    guidanceScale: optional(number({ min: 0 }), { about: "guidance w of the teacher; none is off" }),
    pMean: number({ default: -1, about: "mean of ln sigma" }),
    pStd: number({ default: 1.4, min: 0, about: "standard deviation of ln sigma" }),
    sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
    sigmaMax: number({ default: 800, above: 0, about: "highest noise level" }),
    derivative: choice(["jvp", "differences"], { default: "jvp", about: "of F: exactly, or from two more calls" }),
    step: number({
      default: 0.01,
      above: 0,
      max: 1,
      about: "ln sigma between the calls and the level; differences only",
    }),
    warmUp: number({ default: 10_000, min: 0, integer: true, about: "steps in which the derivative comes in" }),
    constant: number({ default: 0.1, above: 0, about: "c in g/(norm of g + c)" }),
    prior: boolean({ default: true, about: "whether levels count by 1/sigma" }),
  },
  create(options, container): Loss {
    const shape = container.get(DATA_SHAPE);
    const { sigmaData } = shape;
    const { guidanceScale, sigmaMin, sigmaMax, step, warmUp } = options;
    if (sigmaMin >= sigmaMax)
      throw failure(
        "E_OPTION",
        `Cannot configure scm: sigmaMin is ${sigmaMin} and sigmaMax ${sigmaMax}, sigmaMin should be the lower`,
      );
    if (guidanceScale !== undefined) {
      if (options.velocity === "data")
        throw failure(
          "E_OPTION",
          "Cannot configure scm: guidanceScale is given with velocity=data, should be with teacher",
          {
            fix: "set losses.scm.velocity=teacher, or losses.scm.guidanceScale=none",
          },
        );
      checkGuidable("Cannot use scm: it is guided", shape, container.get(NETWORK), "losses.scm.guidanceScale=none");
    }
    return {
      name: "scm",
      role: "generator",
      weight: options.weight,
      compute({ real: { x, condition }, role, noise }) {
        const generator = role<Denoiser & { logVariance?(sigma: Tensor): Tensor }>("generator");
        if (!generator.logVariance)
          throw failure("E_CONFIG", "Cannot use scm: the generator has no log-variance, it should have one", {
            fix: "use the generator `scm`",
          });
        const sigma = clamp(noise.logNormal(x.shape[0], options.pMean, options.pStd), { min: sigmaMin, max: sigmaMax });
        const z = mul(noise.normalLike(x), sigmaData);
        const path = (level: Tensor) => {
          const { cos, sin } = angleOf(level, sigmaData, x.shape.length);
          return add(mul(cos, x), mul(sin, z));
        };
        const { cos, sin } = angleOf(sigma, sigmaData, x.shape.length);
        const xHat = path(sigma);
        const told = { ...condition, [DROPOUT]: noise };
        const velocity =
          options.velocity === "data"
            ? sub(mul(cos, z), mul(sin, x))
            : mul(
                trigNetwork(guidedAt(role("teacher"), guidanceScale, shape.condition), sigmaData)(
                  xHat,
                  sigma,
                  condition,
                ),
                sigmaData,
              );
        const F = trigNetwork(generator, sigmaData);
        const point = { xHat, sigma, velocity, condition: told };
        const said =
          options.derivative === "jvp"
            ? tangentByJvp(F, point, sigmaData)
            : tangentByDifferences(F, { ...point, condition }, path, {
                ahead: mul(sigma, Math.exp(step)),
                behind: mul(sigma, Math.exp(-step)),
                rate: constant(0.5 / step, "f32", sigma.shape),
              });
        const { losses } = scmLosses(said, point, generator.logVariance(sigma), {
          sigmaData,
          warmth: warmUp > 0 ? clamp(mul(noise.step, 1 / warmUp), { max: 1 }) : 1,
          constant: options.constant,
          normPerElement: true,
          squaresPerElement: true,
          prior: options.prior,
        });
        return mean(losses);
      },
    };
  },
});
