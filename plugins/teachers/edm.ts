import { edmDenoiser, edmFeatures, placeholders } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, NETWORK, TEACHER, type Teacher } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";

/**
 * A diffusion teacher over the network plugin, trained here with the EDM loss.
 *   D(x; σ) = cSkip·x + cOut·F(cIn·x; cNoise),  σ_data from the data
 * x [B, …], sigma [B] → [B, …]. Gets a gradient from teacher losses only, and none while the generator learns.
 * Parameter names are the network's own. Karras et al. 2022, arXiv:2206.00364.
 */
export const edm = definePlugin({
  name: "edm",
  kind: "teacher",
  token: TEACHER,
  about: "EDM-preconditioned teacher over the network, trained with the edm-denoising loss",
  options: {},
  create(_, container): Teacher {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const bind: Teacher["bind"] = (scope) => ({
      ...edmDenoiser((...inputs) => network.apply(scope, ...inputs), shape.sigmaData),
      features: (x, sigma, condition) =>
        edmFeatures(
          (...inputs) => network.features(scope, ...inputs),
          shape.sigmaData,
          ...[x, sigma, condition],
        ),
    });
    return {
      trainable: true,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
    };
  },
});
