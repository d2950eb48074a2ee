import { guided as guide, placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  DATA_SHAPE,
  type DataShape,
  NETWORK,
  type Network,
  PROCESS,
  TEACHER,
  type Teacher,
} from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";

/**
 * A pretrained diffusion model as teacher, with classifier-free guidance.
 *   D(x; σ) = D_∅ + w (D_c − D_∅),   ∅ the condition's `unconditional`, in one call of twice the batch
 * x [B, …], sigma [B] → [B, …]. Its noise levels are the run's process. Parameter names are the network's own.
 * Ho & Salimans 2022, arXiv:2207.12598; DMD2, arXiv:2405.14867, takes w = 1.75 for SD 1.5 and 8 for SDXL.
 */
export const guided = definePlugin({
  name: "guided",
  kind: "teacher",
  token: TEACHER,
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
    if (guidanceScale > 1) checkGuidable(guidanceScale, shape, network);
    const bind: Teacher["bind"] = (scope) =>
      process.denoiser(guide((...inputs) => network.apply(scope, ...inputs), guidanceScale));
    return {
      trainable: false,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
    };
  },
});

/** Guidance needs to know what the teacher makes of no condition. Throws E_OPTION where it can't. */
function checkGuidable(
  guidanceScale: number,
  { text, classes }: DataShape,
  network: Network,
): void {
  const refuse = (why: string, fix: string) =>
    failure("E_OPTION", `Cannot configure guided: guidanceScale is ${guidanceScale}, and ${why}`, {
      fix: `${fix}, or set teacher.guidanceScale=1`,
    });
  if (text && !text.unconditional)
    throw refuse(
      "the data have no embedding of an empty text, there should be one to lead away from",
      "add the tensor unconditional.text to the data",
    );
  if (!text && classes === 0)
    throw refuse(
      "the data have neither texts nor classes, there should be a condition to go beyond",
      "use data with texts or classes",
    );
  if (!text && !network.knowsNoClass)
    throw refuse(
      "the network has never seen a sample without its class, it should be trained with labelDropout",
      "set network.labelDropout to what the teacher was trained with",
    );
}
