import { guided as guide, placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, type DataShape, NETWORK, type Network, PROCESS, type Teacher } from "../../core/interfaces/mod.ts";
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
    if (guidanceScale > 1) checkGuidable(guidanceScale, shape, network);
    const bind: Teacher["bind"] = (scope) => ({
      ...process.denoiser(guide((...inputs) => network.apply(scope, ...inputs), guidanceScale, shape.condition)),
      features: (...noisy) => process.features((...inputs) => network.features(scope, ...inputs), ...noisy),
    });
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

/** Guidance needs a prediction without a condition. Throws E_OPTION where data or network give none. */
function checkGuidable(guidanceScale: number, { condition }: DataShape, network: Network): void {
  const refuse = (why: string, fix: string) =>
    failure("E_OPTION", `Cannot configure guided: guidanceScale is ${guidanceScale}, and ${why}`, {
      fix: `${fix}, or set teacher.guidanceScale=1`,
    });
  const entries = Object.entries(condition);
  if (entries.length === 0)
    throw refuse(
      "the data have neither texts nor classes, there should be a condition to go beyond",
      "use data with texts or classes",
    );
  const unknown = entries.find(([, { empty }]) => empty === undefined);
  if (unknown)
    throw refuse(
      `the data have no ${unknown[0]} that stands for none, there should be one to lead away from`,
      `add the tensor unconditional.${unknown[0]} to the data`,
    );
  if (entries.some(([, { empty }]) => empty === "absent") && !network.knowsNoClass)
    throw refuse(
      "the network has never seen a sample without its class, it should be trained with labelDropout",
      "set network.labelDropout to what the teacher was trained with",
    );
}
