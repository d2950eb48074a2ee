import { placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  type Critic,
  type CriticNetwork,
  DATA_SHAPE,
  NETWORK,
  type Noisy,
  PROCESS,
  type StepJudge,
} from "../../core/interfaces/mod.ts";
import { concat } from "../../core/ops/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { HEAD, headOf, headOptions } from "./shared/head.ts";

const BODY = "encoder";
const END = "end_branch";

/**
 * A discriminator of a sampler's steps: a trainable encoder, started from the teacher, that sees both ends of a step.
 *   logit = h([features(x_t; σ), features(x_n; σ_n)]),  or h'(features(x_n; σ_n)) where it sees the end alone
 * x_t, x_n [B, …], levels [B] → [B, 1]; the features are joined along their channels, both heads are those of the critic
 * `fake-score`. Parameters `encoder.*`, `cls_pred_branch.*` and `end_branch.*`.
 * Lin et al. 2024, SDXL-Lightning, arXiv:2402.13929, section 3.2.
 */
export const stepDiscriminator = definePlugin({
  name: "step-discriminator",
  kind: "critic",
  about: "Discriminator of steps: an encoder that sees both ends of one, started from the teacher",
  options: { ...headOptions },
  create(options, container): Critic {
    const [network, process, shape] = [container.get(NETWORK), container.get(PROCESS), container.get(DATA_SHAPE)];
    const head = headOf(options);
    const refusing = (verb: string) => (): never => {
      throw failure(
        "E_CONFIG",
        `Cannot ${verb} with the critic step-discriminator: it judges steps of the method lightning`,
        {
          fix: "leave out the losses that ask for it, or set critic.use=fake-score",
        },
      );
    };
    const bind = (scope: Parameters<Critic["bind"]>[0]): CriticNetwork & StepJudge => ({
      denoise: refusing("denoise"),
      discriminate: refusing("discriminate images"),
      judgeStep(from, to, condition) {
        const seen = ({ xt, sigma }: Noisy) =>
          process.features((...inputs) => network.features(scope.at(BODY), ...inputs), xt, sigma, condition);
        return from ? head(scope.at(HEAD), concat([seen(from), seen(to)], 1)) : head(scope.at(END), seen(to));
      },
    });
    return {
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        const end = { xt: x, sigma };
        for (const from of [end, undefined]) bind(scope).judgeStep(from, end, condition);
      },
      inherits: (parameter) => (parameter.startsWith(`${BODY}.`) ? parameter.slice(BODY.length + 1) : undefined),
    };
  },
});
