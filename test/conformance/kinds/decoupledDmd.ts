import { perSample } from "../../../core/diffusion/mod.ts";
import { mean, mul, reshape, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { guidanceEffect, matchingEffect, movedLosses } from "../../../plugins/losses/shared/decoupled.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { flowLosses } from "../../../plugins/losses/shared/straightPath.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import type { Settings } from "../settings.ts";

/** The terms of Decoupled DMD on given predictions of velocity, and the loss of its fake score. */
export const decoupledDmdKind: Kind = {
  name: "Decoupled DMD",
  matches: ({ file }) => /^cdm_losses/.test(file),
  run: (job) => job.each((sub) => runTerm(job, sub)),
};

async function runTerm(job: Job, settings: Settings): Promise<void> {
  const { loss: term } = settings;
  if (!Object.hasOwn(terms, term)) throw new Unsupported(`no loss ${term}`);
  const scene = new RivalScene(job, settings.id);
  const { of, losses } = terms[term as keyof typeof terms](scene, settings);
  const total = mean(losses);
  scene.output("loss", settings.return_per_sample ? losses : total);
  scene.gradient(total, of, scene.tensor(of));
  await scene.check(job);
}

/** The clean image that a velocity stands for. */
function clean(scene: RivalScene, who: "student" | "teacher", velocity: string): Tensor {
  const xt = scene.tensor(who === "student" ? "in.xt" : "in.xt_teacher");
  return sub(xt, mul(timeOf(scene, `in.${who}_sigma`), scene.tensor(velocity)));
}
function timeOf(scene: RivalScene, name: string): Tensor {
  const given = scene.tensor(name);
  return perSample(reshape(given, [given.shape[0]]), 4);
}

const sizeOf = (settings: Settings) => ({ epsilon: 1e-8, floor: settings.norm_clip_min ?? 0.1 });

const terms = {
  cfg(scene: RivalScene, settings: Settings) {
    const x = clean(scene, "student", "in.student_v");
    const [asked, without] = ["cond", "uncond"].map((each) => clean(scene, "teacher", `in.${each}_v`));
    const effect = guidanceEffect(x, { asked, without }, settings.guidance_scale, sizeOf(settings));
    scene.output("norm_factor_mean", mean(effect.size));
    return { of: "in.student_v", losses: movedLosses(x, effect) };
  },
  dm(scene: RivalScene, settings: Settings) {
    const x = clean(scene, "student", "in.student_v");
    const [real, fake] = ["real", "fake"].map((each) => clean(scene, "teacher", `in.${each}_v`));
    const effect = matchingEffect(x, { real, fake }, sizeOf(settings));
    scene.output("norm_factor_mean", mean(effect.size));
    return { of: "in.student_v", losses: movedLosses(x, effect) };
  },
  fake(scene: RivalScene) {
    const velocity = scene.tensor("in.fake_v");
    const [x, z] = [scene.tensor("in.x0"), scene.tensor("in.noise")];
    const time = reshape(scene.tensor("in.t"), [x.shape[0]]);
    return { of: "in.fake_v", losses: flowLosses({ x, z, time, condition: {} }, () => velocity, sampleDistances.l2) };
  },
};
