import { joinConditions } from "../../core/diffusion/mod.ts";
import { type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { add, concat, mean, mul, sigmoid, split, square, stopGradient, sub } from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, extractorNeeded, number } from "../../core/plugin/mod.ts";
import { discriminatorInput, discriminatorOptions } from "./shared/discriminatorInput.ts";
import { toldLike } from "./shared/guidance.ts";
import { gameOf, judgementOptions, judging, logits } from "./shared/judgement.ts";
import { rungTeller } from "./shared/rung.ts";

/**
 * GAN loss of the discriminator.
 *   L = mean [ softplus(l_fake) + softplus(−l_real) ],  l = logit of x + σ_k·ε,  k ~ U{0…n−1} for each batch by itself
 *   hinge:  L = mean [ max(0, 1 + l_fake) + max(0, 1 − l_real) ];   with r1 > 0 also r1·mean (l(x_t) − l(x_t + s·n))² of
 *   real samples, n ~ N(0, I): a finite difference for the R1 penalty (Lin et al. 2025, arXiv:2501.08316). `r1From: "clean"`
 *   takes l(x + s·n) instead, an almost clean sample at the noisy one's level, as FastGen does. With `pairNoise` real samples
 *   are at the levels and in the noise of the generated ones
 * x [B, …] from the generator, detached, and [B, …] real → scalar; 2 ln 2 where the discriminator is blind. Gradient to
 * the critic's encoder and head. Real samples draw first; all then pass the critic as one batch [2B, …]. Reports the
 * probabilities of real and generated samples. Real ones are told the guidance scales of the generated ones, where these have some. Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.3.
 */
export const ganDiscriminator = definePlugin({
  name: "gan-discriminator",
  kind: "loss",
  about: "Trains the critic's discriminator to tell real samples from generated ones",
  options: {
    weight: number({ default: 1e-2, min: 0, about: "factor in the critic's total; 0 is off" }),
    ...discriminatorOptions,
    ...judgementOptions,
    r1: number({ default: 0, min: 0, about: "weight of the approximate R1 penalty; 0 is off" }),
    r1Sigma: number({
      default: 0.1,
      above: 0,
      about: "deviation s of the noise by which the penalty moves real samples",
    }),
    r1From: choice(["noisy", "clean"], {
      default: "noisy",
      about: "what the penalty moves: the noisy real samples, or the clean ones as FastGen does",
    }),
    pairNoise: boolean({
      default: false,
      about: "whether real samples are at the levels and in the noise of the generated ones",
    }),
  },
  needs: extractorNeeded,
  create({ weight, objective, features, extractor, tap, r1, r1Sigma, r1From, pairNoise, ...input }, container): Loss {
    const show = discriminatorInput(input, container.get(PROCESS));
    const told = rungTeller(container);
    const game = gameOf("gan-discriminator", { objective, features, extractor, tap }, input.diffused, container);
    return {
      name: "gan-discriminator",
      role: "critic",
      weight,
      game: { name: "losses.gan-discriminator", side: "judges" },
      ...(game.extracted && { frozen: game.extracted.frozen, load: game.extracted.load }),
      compute(context) {
        const { generated, real, noise } = context;
        const described = toldLike(real.condition, generated.condition);
        const drawn = pairNoise ? undefined : show.real(real.x, noise);
        const b = show.generated(stopGradient(generated.x), context, "gan-discriminator");
        const a = drawn ?? show.alike(real.x, b);
        const batches = [
          { ...a, condition: told(described, a.xt) },
          { ...b, condition: told(generated.condition, b.xt) },
        ];
        if (r1 > 0) {
          const moved = add(r1From === "clean" ? real.x : a.xt, mul(noise.normalLike(a.xt), r1Sigma));
          batches.push({ ...a, xt: moved, condition: told(described, moved) });
        }
        const all = {
          xt: concat(
            batches.map(({ xt }) => xt),
            0,
          ),
          sigma: concat(
            batches.map(({ sigma }) => sigma),
            0,
          ),
        };
        const condition = batches.map((each) => each.condition).reduce(joinConditions);
        const l = logits(game, context, all, condition);
        const [onReal, onFake, onMoved] = split(l, batches.length, 0);
        context.report?.("discriminator-on-real", mean(sigmoid(onReal)));
        context.report?.("discriminator-on-fake", mean(sigmoid(onFake)));
        const loss = mean(judging(game, onReal, onFake));
        return onMoved ? add(loss, mul(r1, mean(square(sub(onReal, onMoved))))) : loss;
      },
    };
  },
});
