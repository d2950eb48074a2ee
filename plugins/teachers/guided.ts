import { checkGuidable, guided as guide, placeholders } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, NETWORK, PROCESS, type Teacher } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";

/**
 * A pretrained diffusion model as teacher, with classifier-free guidance.
 *   D(x; σ) = D_∅ + w (D_c − D_∅),   ∅ the data's own value for no condition, in one call of twice the batch
 * x [B, …], sigma [B] → [B, …]; a discriminator reads the features of the call with the condition. Its noise levels are the run's process. Parameter names are the network's own.
 * Ho & Salimans 2022, arXiv:2207.12598; DMD2, arXiv:2405.14867, takes w = 1.75 for SD 1.5 and 8 for SDXL.
 */
export const guided = definePlugin({
  name: "guided",
  kind: "teacher",
  about: "Pretrained teacher over the network and the process, with classifier-free guidance",
  options: {
    guidanceScale: number({
      default: 1.75,
      min: 1,
      about: "how far it goes beyond the condition; 1 is off and costs half",
    }),
  },
  create({ guidanceScale }, container): Teacher {
    const network = container.get(NETWORK);
    const process = container.get(PROCESS);
    const shape = container.get(DATA_SHAPE);
    if (guidanceScale > 1)
      checkGuidable(
        `Cannot configure guided: guidanceScale is ${guidanceScale}`,
        shape,
        network,
        "teacher.guidanceScale=1",
      );
    const bind: Teacher["bind"] = (scope) => ({
      ...process.denoiser(guide((...inputs) => network.apply(scope, ...inputs), guidanceScale, shape.condition)),
      features: (...noisy) => process.features((...inputs) => network.features(scope, ...inputs), ...noisy),
    });
    return {
      guidanceScale,
      trainable: false,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
    };
  },
});
