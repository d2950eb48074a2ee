import { failure, suggestion } from "../../core/errors.ts";
import { type Balancer, imageGradientName, LOSSES, METHOD } from "../../core/interfaces/mod.ts";
import { definePlugin, number, text } from "../../core/plugin/mod.ts";

/**
 * Keeps the pull of one loss of the maker at a fixed ratio to that of another, both measured at the generated images.
 *   w ← w·(r·‖∇_x L_other‖ / ‖∇_x L‖)^speed, kept in [lowest, highest];  both norms with their weights
 * Nothing changes while a norm is 0 or not finite, as in the first step of DMD2, where the critic is still the teacher. Only
 * the generator's weight follows; the discriminator's loss keeps its own. The author of DMD2 chooses the weight of the GAN
 * loss by these norms by hand (arXiv:2405.14867, section 4.3).
 */
export const gradientBalance = definePlugin({
  name: "gradient-balance",
  kind: "balancer",
  about: "Weighs the generator's GAN loss by the size of its gradient at the images",
  options: {
    loss: text({ default: "gan-generator", about: "the loss whose weight follows" }),
    against: text({ default: "distribution-matching", about: "the loss it is compared with" }),
    ratio: number({
      default: 0.1,
      above: 0,
      about: "wanted size of its gradient, that of the other loss being 1",
    }),
    speed: number({
      default: 0.1,
      above: 0,
      max: 1,
      about: "how far a look moves the weight; 1 goes all the way",
    }),
    lowest: number({ default: 1e-6, above: 0, about: "smallest weight" }),
    highest: number({ default: 10, above: 0, about: "largest weight" }),
  },
  create({ loss, against, ratio, speed, lowest, highest }, container): Balancer {
    const known = container
      .all(LOSSES)
      .filter(({ role, weight }) => role === container.get(METHOD).maker && weight > 0)
      .map(({ name }) => name);
    for (const name of [loss, against])
      if (!known.includes(name))
        throw failure(
          "E_OPTION",
          `Cannot balance "${name}": it is not one of the losses of the role that makes the images, ${known.join(", ")}${suggestion(name, known)}`,
        );
    return {
      rebalance(values, weights) {
        const [own, other] = [loss, against].map((name) => values[imageGradientName(name)]);
        const factor = (ratio * other) / own;
        if (!(own > 0 && other > 0 && Number.isFinite(factor))) return {};
        const weight = weights[loss] * factor ** speed;
        return { [loss]: Math.min(Math.max(weight, lowest), highest) };
      },
    };
  },
});
