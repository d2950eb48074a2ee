import { perSample, sigmaGrid } from "../../../core/diffusion/mod.ts";
import { add, constant, div, mean, sub as minus, mul, square } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { distributionMatching } from "../../../plugins/losses/distributionMatching.ts";
import { fakeScoreLoss } from "../../../plugins/losses/fakeScore.ts";
import { fDistillLoss } from "../../../plugins/losses/fDistill.ts";
import { ganDiscriminator } from "../../../plugins/losses/ganDiscriminator.ts";
import { ganGenerator } from "../../../plugins/losses/ganGenerator.ts";
import { type Divergence, divergences, divergenceWeights } from "../../../plugins/losses/shared/divergences.ts";
import { matchingLoss } from "../../../plugins/losses/shared/matching.ts";
import {
  binned,
  densityRatio,
  evened,
  nextBins,
  RATIO_BINS,
  RATIO_MEMORY,
} from "../../../plugins/losses/shared/ratio.ts";
import { FastgenScene, GAME } from "../fastgenScene.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { ignore, only, type Settings } from "../settings.ts";

/** Both turns of FastGen's DMD2. */
export const fastgenDmd2Kind: Kind = {
  name: "FastGen's DMD2",
  matches: ({ file }) => /^fastgen_dmd2(?!_traj)/.test(file),
  run: (job) =>
    job.each((sub) => {
      if (sub.step === "vsd_direct") return matchingAlone(job, sub);
      if (sub.step === "student") return studentTurn(job, sub);
      if (sub.step === "critic") return criticTurn(job, sub);
      throw new Unsupported(`no step ${sub.step}`);
    }),
};

/** The loss on denoised samples that are given, weighed per sample. */
async function matchingAlone(job: Job, sub: Settings): Promise<void> {
  const scene = new RivalScene(job, sub.id);
  const [x, real, fake, h] = ["gen", "teacher_x0", "fake_x0", "scale"].map((name) => scene.tensor(`in.${name}`));
  const loss = matchingLoss(x, { real, fake }, { normalise: "sample", epsilon: 1e-6 }, { h });
  scene.output("loss", loss);
  scene.gradient(loss, "in.gen", x);
  await scene.check(job);
}

/** The student's turn of f-distill, and the bins after it. */
export const fastgenFDistillKind: Kind = {
  name: "FastGen's f-distill",
  matches: ({ file }) => file.startsWith("fastgen_fdistill"),
  run: (job) => job.each((sub) => fDistillTurn(job, sub)),
};

async function fDistillTurn(job: Job, sub: Settings): Promise<void> {
  ignore(sub, "bins"); // what is in `in.bins`
  const divergence: Divergence = sub.f_div;
  if (!(divergence in divergences)) throw new Unsupported(`no f_div ${divergence}`);
  const head = only(sub, "disc", "disc", "hot") === "hot" ? "disc_hot" : "disc";
  const { ratio_lower: ratioMin, ratio_upper: ratioMax, ratio_ema_rate: memory } = sub;
  const count: number = sub.ratio_normalization ? sub.bin_num : 0;
  if (count === 0) ignore(sub, "bin_num");
  const scene = new FastgenScene(job, sub, head);
  const turn = { noise: scene.draws(["eps", "t_idx"]), shared: {} };
  const bins = count > 0 ? scene.tensor("in.bins") : constant(1, "f32", [1]);
  const numbers = { [RATIO_BINS]: count, [RATIO_MEMORY]: memory };
  const reports = new Map<string, Tensor>();
  const matched = scene.compute(
    fDistillLoss({ divergence, ratioMin, ratioMax, features: "teacher", ...MATCHING }),
    turn,
    {
      stage: { name: "distillation", numbers },
      role: <T>() => ({ bins }) as T,
      report: (name, value) => void reports.set(name, value),
    },
  );
  // What the loss has made of the same logits on its way.
  const ratio = densityRatio(scene.logits(1)[0], ratioMin, ratioMax);
  const here = binned(ratio, scene.calls.fake[0].sigma, bins.shape[0], { sigmaMin: 0.002, sigmaMax: 80 });
  const after = count > 0 ? nextBins(bins, here, memory) : bins;
  const h = divergenceWeights(divergence, count > 0 ? evened(ratio, here, after) : ratio);
  scene.output("bins", after);
  scene.output("h", h);
  // The reference's reverse KL is the integer 1, of which it tells the numbers before they are divided by their mean.
  const one = divergence === "rkl" ? mean(divergences.rkl(ratio)) : undefined;
  scene.output("avg_h", one ?? mean(h));
  scene.output("min_h", one ?? reports.get("least-weight")!);
  scene.output("max_h", one ?? reports.get("largest-weight")!);
  scene.output("f_distill_loss", matched);
  await finishStudent(job, sub, scene, turn, matched);
}

/** The settings of the turn that is not on. */
const others = {
  student: ["iteration", "student_update_freq", "gan_use_same_t_noise", "fake_score_pred_type"],
  critic: ["iteration", "student_update_freq", "guidance_scale"],
  regularisation: ["gan_r1_reg_weight", "gan_r1_reg_alpha"],
};
const MATCHING = { epsilon: 1e-6 };

async function studentTurn(job: Job, sub: Settings): Promise<void> {
  ignore(sub, ...others.student, ...others.regularisation);
  const scene = new FastgenScene(job, sub);
  const turn = { noise: scene.draws(["eps", "t_idx"]), shared: {} };
  const matched = scene.compute(distributionMatching(MATCHING), turn);
  scene.output("vsd_loss", matched);
  await finishStudent(job, sub, scene, turn, matched);
}

type Turn = Parameters<FastgenScene["compute"]>[1];

/** The student's adversarial term, its total and what the roles have said. */
async function finishStudent(
  job: Job,
  { gan_loss_weight_gen: weight }: Settings,
  scene: FastgenScene,
  turn: Turn,
  matched: ReturnType<FastgenScene["compute"]>,
): Promise<void> {
  const x = scene.generated.x;
  const fooled = weight > 0 ? scene.compute(ganGenerator(GAME), turn) : constant(0, "f32", []);
  const total = add(matched, mul(fooled, weight));
  scene.output("gan_loss_gen", fooled);
  scene.output("total_loss", total);
  scene.output("gen_data", x);
  scene.output("teacher_x0", scene.calls.teacher[0].out);
  scene.output("fake_x0", scene.calls.fake[0].out);
  scene.output("x_t", scene.calls.fake[0].x);
  scene.output("t", levelsAt(scene, "t_idx"));
  if (scene.judged.length > 0) scene.output("logits", scene.logits(1)[0]);
  scene.gradient(total, "gen_data", x);
  scene.gradients(total, "student");
  await scene.check(job);
}

/** The levels of drawn indices. */
function levelsAt(scene: FastgenScene, index: string): number[] {
  const grid = sigmaGrid(1000, { sigmaMin: 0.002, sigmaMax: 80 });
  return scene.indices(`rand.${index}`).map((i) => grid[i]);
}

/** What the fake score is held to. FastGen's prediction of EDM's flow is dx/dt = ε, and its target ε − x0. */
const predictions = { x0: "x0", eps: "eps", flow: "fastgen-flow" } as const;

async function criticTurn(job: Job, sub: Settings): Promise<void> {
  ignore(sub, ...others.critic);
  const prediction = only(sub, "fake_score_pred_type", "x0", "eps", "flow") ?? "x0";
  const [r1, r1Sigma] = [sub.gan_r1_reg_weight as number, sub.gan_r1_reg_alpha as number];
  const pairNoise: boolean = sub.gan_use_same_t_noise;
  const scene = new FastgenScene(job, sub);
  const shared = {};
  const fake = scene.compute(fakeScoreLoss({ target: predictions[prediction] }), {
    noise: scene.draws(["eps", "t_idx"]),
    shared,
  });
  const [{ x: xt, sigma, out }] = scene.calls.fake;
  let total = fake;
  if (sub.gan_loss_weight_gen > 0) {
    const judging = (weight: number) => {
      const noise = scene.draws(
        ...(pairNoise ? [] : ([["eps_real", "t_real_idx"]] as const)),
        ...(weight > 0 ? ([["eps_r1"]] as const) : []),
      );
      const options = { ...GAME, pairNoise, r1: weight, r1Sigma, r1From: "clean" } as const;
      return scene.compute(ganDiscriminator(options), { noise, shared });
    };
    scene.output("gan_loss_disc", judging(0));
    total = add(fake, judging(r1));
    const [real, generated, moved] = scene.logits(r1 > 0 ? 3 : 2);
    scene.output("logits_real", real);
    scene.output("logits_fake", generated);
    if (moved) scene.output("gan_loss_ar1", mean(square(minus(real, moved))));
    scene.gradients(total, "disc");
  } else scene.output("gan_loss_disc", constant(0, "f32", []));
  scene.output("fake_score_loss", fake);
  scene.output("total_loss", total);
  scene.output("gen_data", scene.generated.x);
  scene.output("t", levelsAt(scene, "t_idx"));
  scene.output("fake_pred", prediction === "x0" ? out : div(minus(xt, out), perSample(sigma, xt.shape.length)));
  scene.gradients(total, "fake");
  await scene.check(job);
}
