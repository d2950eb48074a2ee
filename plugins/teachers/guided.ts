import { guided as guide, placeholders, scheduleIn } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, NETWORK, TEACHER, type Teacher } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";

/**
 * A pretrained diffusion model as teacher, with classifier-free guidance.
 *   D(x; σ) = D_∅ + w (D_c − D_∅),   ∅ the condition's `unconditional`, in one call of twice the batch
 * x [B, …], sigma [B] → [B, …]. Its noise levels are the run's schedule. Parameter names are the network's own.
 * Ho & Salimans 2022, arXiv:2207.12598; DMD2, arXiv:2405.14867, takes w = 1.75 for SD 1.5 and 8 for SDXL.
 */
export const guided = definePlugin({
  name: "guided",
  kind: "teacher",
  token: TEACHER,
  about: "Pretrained teacher over the network and the schedule, with classifier-free guidance",
  options: {
    guidanceScale: number({
      default: 1.75,
      min: 1,
      about: "how far it goes beyond the condition; 1 is off and costs half",
    }),
  },
  create({ guidanceScale }, container): Teacher {
    const network = container.get(NETWORK);
    const schedule = scheduleIn(container);
    const bind: Teacher["bind"] = (scope) =>
      schedule.denoiser(guide((...inputs) => network.apply(scope, ...inputs), guidanceScale));
    return {
      trainable: false,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(container.get(DATA_SHAPE));
        bind(scope).denoise(x, sigma, condition);
      },
    };
  },
});
