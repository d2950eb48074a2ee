/** SiD and SiDA: the score identity between teacher and critic, differentiated through both. */
import { addNoise, perSample } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Condition, Denoiser, Images, NoiseProcess } from "../../../core/interfaces/mod.ts";
import {
  abs,
  add,
  clamp,
  div,
  maximum,
  mean,
  mul,
  neg,
  softplus,
  stopGradient,
  sub,
  sum,
} from "../../../core/ops/mod.ts";
import { number } from "../../../core/plugin/mod.ts";
import { sizeOf, type Tensor } from "../../../core/tensor/mod.ts";
import type { NoisedSamples } from "./distillation.ts";

/** Options of a discriminator that is the critic's encoder itself. */
export const encoderGameOptions = {
  adversarial: number({ default: 0, min: 0, about: "weight of the adversarial term; 0 is off, SiD's" }),
  logitScale: number({ default: 1, above: 0, about: "factor from the mean of the encoder's channels to a logit" }),
};

/** What teaches that discriminator. */
export const ENCODER_GAME = "losses.fake-denoising.adversarial";

/** What the losses ask of teacher and critic. */
export interface IdentityRoles {
  readonly teacher: Denoiser;
  readonly critic: Denoiser;
}

/**
 * Logits of "x is real" from a network's own encoder, without a head: logitScale times the mean over its channels.
 * x [B, …], sigma [B] → [B, H, W] or [B]. Zhou et al. 2024, SiDA, arXiv:2410.14919.
 * @throws E_CONFIG for a critic without features
 */
export function encoderLogits(critic: Denoiser, x: Tensor, sigma: Tensor, condition: Condition, scale: number): Tensor {
  if (!critic.features)
    throw failure("E_CONFIG", "Cannot discriminate by the critic's encoder: this critic shows no features", {
      fix: "set critic.use=fake-score, or adversarial=0 for both losses",
    });
  return mul(mean(critic.features(x, sigma, condition), { axes: [1] }), scale);
}

/**
 * x_t = x + σ·ε,  a = D_real(x_t; σ),  b = D_fake(x_t; σ),  n = max(mean|x − a|, 1e-5) of each sample, without a gradient
 *   terms        (a − b)·[(a − x) − alpha·(a − b)] / n, by element;  the gradient passes through a and b
 *   adversarial  mean softplus(−clamp(l, −10, 10)) over the batch / n, l the encoder's logits of x_t; where logitScale is given
 * x [B, …] → terms [B, …], adversarial [B]. Zhou et al. 2024, SiD, arXiv:2404.04057, and SiDA, arXiv:2410.14919.
 */
export function identityLosses(
  { x, sigma, eps, condition }: NoisedSamples,
  { teacher, critic }: IdentityRoles,
  { alpha, logitScale }: { readonly alpha: number; readonly logitScale?: number },
): { readonly terms: Tensor; readonly adversarial?: Tensor } {
  const xt = addNoise(x, sigma, eps);
  const real = teacher.denoise(xt, sigma, condition);
  const { terms, normaliser } = identityTerms(x, { real, fake: critic.denoise(xt, sigma, condition) }, alpha);
  if (logitScale === undefined) return { terms };
  const fooled = mean(
    softplus(neg(clamp(encoderLogits(critic, xt, sigma, condition, logitScale), { min: -10, max: 10 }))),
  );
  return { terms, adversarial: div(fooled, normaliser) };
}

/** The terms from what both have said, and n [B]. */
export function identityTerms(
  x: Tensor,
  { real, fake }: { readonly real: Tensor; readonly fake: Tensor },
  alpha: number,
): { readonly terms: Tensor; readonly normaliser: Tensor } {
  const axes = x.shape.map((_, axis) => axis).slice(1);
  const normaliser = stopGradient(maximum(mean(abs(sub(x, real)), { axes }), 1e-5));
  const apart = sub(real, fake);
  const terms = mul(apart, sub(sub(real, x), mul(apart, alpha)));
  return { terms: div(terms, perSample(normaliser, x.shape.length)), normaliser };
}

/** Sum over elements, mean over samples: Σ / B. */
export const perSampleSum = (terms: Tensor): Tensor => div(sum(terms), terms.shape[0]);

/** SiD's loss Σ terms / B, or SiDA's: half of it, and half the adversarial term, `weight` times for every element. */
export function identityTotal({ terms, adversarial }: ReturnType<typeof identityLosses>, weight: number): Tensor {
  if (!adversarial) return perSampleSum(terms);
  const elements = sizeOf(terms.shape) / terms.shape[0];
  return mul(0.5, add(perSampleSum(terms), mul(perSampleSum(adversarial), weight * elements)));
}

/**
 * What a discriminator that is the critic's encoder minimises beside the critic's loss: for each sample λ(σ) times
 * ½ [mean softplus(−l_real) + mean softplus(l_fake)] over the batch. Real samples are at the levels and in the noise of the
 * generated ones. → [B]
 */
export function encoderGame(
  generated: NoisedSamples,
  real: Images,
  critic: Denoiser,
  { process, logitScale }: { readonly process: Pick<NoiseProcess, "weight">; readonly logitScale: number },
): Tensor {
  const { sigma, eps } = generated;
  const [onReal, onFake] = [real, generated].map(({ x, condition }) =>
    encoderLogits(critic, addNoise(x, sigma, eps), sigma, condition, logitScale),
  );
  return mul(process.weight(sigma, 1), mul(0.5, add(mean(softplus(neg(onReal))), mean(softplus(onFake)))));
}
