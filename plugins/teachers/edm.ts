import { placeholders } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, NETWORK, PROCESS, type Teacher } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";

/**
 * A diffusion teacher over the network plugin, trained here.
 *   D(x; σ) = cSkip·x + cOut·F(cIn·x; cNoise) of EDM, or the denoiser that the run's noise process makes of F
 * x [B, …], sigma [B] → [B, …]. Gets a gradient from teacher losses only, and none while the generator learns.
 * Parameter names are the network's own. Karras et al. 2022, arXiv:2206.00364.
 */
export const edm = definePlugin({
  name: "edm",
  kind: "teacher",
  about: "Teacher over the network and the process, trained with the edm-denoising loss",
  options: {},
  create(_, container): Teacher {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const bind: Teacher["bind"] = (scope) => ({
      ...process.denoiser((...inputs) => network.apply(scope, ...inputs)),
      features: (...noisy) => process.features((...inputs) => network.features(scope, ...inputs), ...noisy),
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
