import { addNoise, perSample } from "../../core/diffusion/mod.ts";
import { DROPOUT, type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { div, mean, mul, square, stopGradient, sub } from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { gridOf, levelOptions } from "./shared/levels.ts";
import { rungTeller } from "./shared/rung.ts";
import { targets, targetWeight } from "./shared/targetWeight.ts";

/**
 * Denoising loss of the fake score on the generator's samples.
 *   k ~ U{0…n−1},  L = mean λ(σ_k) (D_fake(x + σ_k·ε; σ_k) − x)²,  λ(σ) = σ⁻² + σ_data⁻² for EDM networks
 * With a network that predicts ε, λ(σ) = σ⁻² and the loss is mean (ε_fake − ε)². Option `target` chooses another λ: see
 * `targetWeight`. FastGen's flow of EDM networks holds (x_t − D)/σ to ε − x, which is a mean of ((D − x)/σ − x)²: kept to
 * compare with, since the best D is then not the clean sample but (1 + σ) times it.
 * x [B, …] from the generator, detached → scalar. Gradient to the critic only, its discriminator head excepted.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.2; λ and the uniform levels as in the official code for EDM.
 */
export const fakeScoreLoss = definePlugin({
  name: "fake-score",
  kind: "loss",
  about: "Trains the critic to denoise the generator's samples",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the critic's total; 0 is off" }),
    ...levelOptions,
    target: choice(["network", ...targets, "fastgen-flow"], {
      default: "network",
      about: "whose squared error it is: as suits the network, of x0, eps, v, flow, or FastGen's flow of EDM networks",
    }),
    dropout: boolean({
      default: false,
      about: "whether the network drops at random what it drops in the teacher's training, classes among it",
    }),
  },
  create({ weight, target, dropout, ...levels }, container): Loss {
    const process = container.get(PROCESS);
    const told = rungTeller(container);
    const grid = gridOf(levels, process);
    return {
      name: "fake-score",
      role: "critic",
      weight,
      compute({ generated, critic, noise, shared }) {
        const x = stopGradient(generated.x);
        const eps = noise.normalLike(x);
        const sigma = noise.fromGrid(grid, x.shape[0]);
        shared.draw ??= { sigma, eps };
        const condition = { ...told(generated.condition, x), ...(dropout && { [DROPOUT]: noise }) };
        const denoised = critic.denoise(addNoise(x, sigma, eps), sigma, condition);
        const rank = x.shape.length;
        if (target === "fastgen-flow") return mean(square(sub(div(sub(denoised, x), perSample(sigma, rank)), x)));
        const lambda = target === "network" ? process.weight(sigma, rank) : targetWeight(target, sigma, rank);
        return mean(mul(lambda, square(sub(denoised, x))));
      },
    };
  },
});
