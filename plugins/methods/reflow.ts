import { flowSigma, flowTime } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  DATA_SHAPE,
  GENERATOR,
  type Method,
  SAMPLER,
  type Stage,
  TEACHER,
  TRAIN_LENGTH,
} from "../../core/interfaces/mod.ts";
import { definePlugin, mergeConfig, number } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { inheriting, teacherOptions, teacherStage, withTeacher } from "./shared/pretraining.ts";
import { checkOneLevel, eulerOn } from "./shared/rounds.ts";

/**
 * Rectified flow: rounds of reflow, each of which trains a flow on the pairs of the last, and then the distillation of the last
 * flow into a few Euler steps. The teacher is the first flow; a diffusion model of any process is one.
 * Liu et al. 2022, arXiv:2209.03003.
 */
export const reflowMethod = definePlugin({
  name: "reflow",
  kind: "method",
  about:
    "Rounds that straighten the teacher's flow, then distillation into a few Euler steps; trains the teacher first",
  options: {
    ...teacherOptions,
    rounds: number({ default: 1, min: 0, integer: true, about: "rounds of reflow; 0 distils the teacher itself" }),
    lastSteps: number({ default: 1, min: 1, integer: true, about: "Euler steps that the flow is distilled into" }),
    distilled: number({
      default: 0.5,
      min: 0,
      max: 1,
      about: "share of train.steps for the distillation; rounds have the rest, in equal parts",
    }),
  },
  create({ teacher, rounds, lastSteps, distilled }, container): Method {
    const generator = container.get(GENERATOR);
    const { sigmas, startScale } = generator;
    checkOneLevel("reflow", generator, "method.lastSteps says", container.get(DATA_SHAPE));
    const roles = { teacher: container.get(TEACHER), generator, ...(rounds > 0 && { flow: generator }) };
    const { steps, batch } = container.get(TRAIN_LENGTH);
    const share = rounds === 0 ? 1 : distilled;
    const each = rounds === 0 ? 0 : Math.floor((steps * (1 - share)) / rounds);
    if (steps > 0 && (each < Math.min(rounds, 1) || steps === rounds * each))
      throw failure(
        "E_OPTION",
        `Cannot configure reflow: ${steps} train.steps leave ${each} for each of ${rounds} rounds and ${steps - rounds * each} for the distillation, there should be some for each`,
        { fix: "raise train.steps, or change method.distilled; method.rounds=0 distils the teacher itself" },
      );
    const from = (round: number): Pick<Stage, "begins" | "roles"> =>
      round === 1
        ? { roles: ["teacher", "generator"], begins: inheriting(roles, ["generator"], "teacher") }
        : { begins: { flow: "generator", generator: "generator" } };
    const stage = (round: number, name: string, steps: number, parts: number): Stage => ({
      name,
      steps,
      batch,
      cycle: [[{ role: "generator" }]],
      ...from(round),
      numbers: { parts, round },
    });
    const whole = container.get(SAMPLER);
    return {
      name: "reflow",
      roles,
      stages: [
        teacherStage(teacher, container),
        ...Array.from({ length: rounds }, (_, i) => ({
          ...stage(i + 1, `reflow ${i + 1}`, each, 0),
          samplers: { generator: whole },
        })),
        stage(rounds + 1, "distillation", steps - rounds * each, lastSteps),
      ],
      samplers: { teacher: whole, generator: eulerOn(equalTimes(lastSteps, sigmas[0]), startScale) },
    };
  },
});

/** Levels of Euler's steps on equal parts of the time t = σ/(1 + σ), down to the sample. */
const equalTimes = (count: number, sigmaMax: number): number[] =>
  Array.from({ length: count + 1 }, (_, i) => (i === 0 ? sigmaMax : flowSigma(flowTime(sigmaMax) * (1 - i / count))));

/**
 * 2-rectified flow and its one-step distillation: a network that predicts the velocity is trained on data, straightened once, and
 * distilled. Rate, warm-up, clipping and average are those of the official CIFAR-10 runs.
 */
export const reflow: Recipe = withTeacher({
  method: { use: "reflow" },
  process: { use: "rectified-flow" },
  generator: { use: "few-step", timesteps: [998] },
  sampler: { use: "euler", steps: 25, spacing: "trailing" },
  losses: { "edm-denoising": { levels: "uniform-time" }, reflow: {} },
  optimizers: {
    generator: { use: "adamw", lr: 2e-4, warmup: 5000, weightDecay: 0, clip: 1 },
  },
  averages: {
    generator: { use: "ema-constant", beta: 0.999999, warmUp: true },
  },
});

/**
 * InstaFlow: a pretrained text-to-image model with guidance is the first flow; its pairs, with their texts, straighten a generator
 * that starts from its weights, which is then distilled into one step: `--teacher FILE`, on latents with texts. The paper goes on
 * with LPIPS, and guides the second flow by 1.5, which here is read as it is. Guidance scale and rate are ours.
 * Liu et al. 2023, arXiv:2309.06380; 95,000 updates of reflow and 39,500 of distillation.
 */
export const instaflow: Recipe = mergeConfig<Recipe>(reflow, {
  process: { use: "discrete" },
  teacher: { use: "guided", guidanceScale: 6 },
  generator: { timesteps: [999] },
  sampler: { use: "ddim", steps: 25, offset: 1, endAtFirst: true },
  losses: { "edm-denoising": false },
  optimizers: { teacher: false, generator: { lr: 1e-4, warmup: 1000 } },
  averages: { teacher: false, generator: { beta: 0.9999 } },
  start: { teacher: null },
  method: { distilled: 0.3, teacher: { steps: 0 } },
  train: { steps: 134_500 },
});
