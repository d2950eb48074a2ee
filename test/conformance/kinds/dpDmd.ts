import type { FlowNetwork } from "../../../core/diffusion/mod.ts";
import type { Condition } from "../../../core/interfaces/mod.ts";
import { add, mean, mul, stopGradient, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { matchingEffect, movedLosses } from "../../../plugins/losses/shared/decoupled.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { flowSteps, flowTimes, straightVelocity } from "../../../plugins/losses/shared/rollout.ts";
import { flowLosses } from "../../../plugins/losses/shared/straightPath.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import type { Settings } from "../settings.ts";

/** DP-DMD: the first step held to the teacher, the rest to the distribution, and the loss of its fake score. */
export const dpDmdKind: Kind = {
  name: "DP-DMD",
  matches: ({ file }) => /^dpdmd/.test(file),
  run: (job) => job.each((sub) => runLosses(job, sub)),
};

async function runLosses(job: Job, settings: Settings): Promise<void> {
  const { teacher_infer_steps: teacherSteps, k_anchor: anchor, stu_inference_steps: steps, shift } = settings;
  if (anchor < 1 || anchor > teacherSteps) throw new Unsupported(`no anchor after ${anchor} of ${teacherSteps} steps`);
  const scene = new RivalScene(job, settings.id);
  const [prompt, none] = ["in.prompt", "in.uncond"].map((name) => scene.condition(name));
  const guided = (scale: number): FlowNetwork => {
    const network = scene.network("teacher");
    return (x, time) => {
      const without = network(x, time, none);
      return add(without, mul(sub(network(x, time, prompt), without), scale));
    };
  };
  const teacher = guided(settings.teacher_guidance_scale);
  const [teacherTimes, times, levels] = [teacherSteps, steps, 1000].map((count) => flowTimes(count, shift));
  scene.output("teacher_sigmas", teacherTimes);
  scene.output("student_sigmas", times);
  scene.output("full_sigmas", levels);
  const start = scene.tensor("in.x1");
  const { x: z } = flowSteps(teacher, teacherTimes.slice(0, anchor + 1), start, {});
  scene.output("z_tk", z);
  scene.output("t_k", [teacherTimes[anchor]]);
  const target = straightVelocity(start, z, 1, teacherTimes[anchor]);
  scene.output("v_target", target);
  const { x, first } = flowSteps(scene.network("student"), times, start, prompt, true);
  scene.output("v_first", first);
  scene.output("student_output", x);
  const diversity = mean(sampleDistances.l2(first, target));
  scene.output("div_loss", diversity);
  const matching = matchingLoss(scene, { x, condition: prompt, teacher, levels });
  scene.output("dmd_loss", matching);
  scene.gradient(matching, "student_output", x);
  const total = add(mul(diversity, settings.div_weight), matching);
  scene.output("total", total);
  scene.gradients(total, "student");

  const [index] = scene.indices("rand.idx_fake");
  scene.output("fake_sigma", [levels[index]]);
  const noised = { x: stopGradient(x), z: scene.tensor("rand.noise_fake"), condition: prompt };
  const time = commonTime(scene, "fake_time", levels[index], x);
  const fake = mean(flowLosses({ ...noised, time }, scene.network("fake"), sampleDistances.l2));
  scene.output("fake_loss", fake);
  scene.gradients(fake, "fake");
  await scene.check(job);
}

const commonTime = (scene: RivalScene, name: string, time: number, { shape }: Tensor): Tensor =>
  scene.perSample(name, new Array<number>(shape[0]).fill(time));

interface Matching {
  readonly x: Tensor;
  readonly condition: Condition;
  readonly teacher: FlowNetwork;
  readonly levels: readonly number[];
}

/** The distribution-matching loss at one time for all samples. */
function matchingLoss(scene: RivalScene, { x, condition, teacher, levels }: Matching): Tensor {
  const [index] = scene.indices("rand.idx");
  const t = levels[index];
  const xt = stopGradient(add(mul(x, 1 - t), mul(scene.tensor("rand.noise"), t)));
  const time = commonTime(scene, "time", t, x);
  const [real, fake] = [teacher, scene.network("fake")].map((v) => sub(xt, mul(v(xt, time, condition), t)));
  return mul(0.5, mean(movedLosses(x, matchingEffect(xt, { real, fake }, { epsilon: 0, floor: 0 }))));
}
