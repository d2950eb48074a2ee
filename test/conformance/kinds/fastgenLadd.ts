import { mean, sub as minus, square } from "../../../core/ops/mod.ts";
import { ganDiscriminator } from "../../../plugins/losses/ganDiscriminator.ts";
import { ganGenerator } from "../../../plugins/losses/ganGenerator.ts";
import { FastgenScene } from "../fastgenScene.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { ignore, type Settings } from "../settings.ts";

/** Both turns of FastGen's LADD: a game on the teacher's features and nothing else. */
export const fastgenLaddKind: Kind = {
  name: "FastGen's LADD",
  matches: ({ file }) => file.startsWith("fastgen_ladd"),
  run: (job) =>
    job.each((sub) => {
      ignore(sub, "student_update_freq"); // which turn it is
      if (sub.step === "student") return studentTurn(job, sub);
      if (sub.step === "disc") return discriminatorTurn(job, sub);
      throw new Unsupported(`no step ${sub.step}`);
    }),
};

const TEACHER = { features: "teacher" } as const;

async function studentTurn(job: Job, sub: Settings): Promise<void> {
  ignore(sub, "gan_use_same_t_noise", "gan_r1_reg_weight", "gan_r1_reg_alpha");
  const scene = new FastgenScene(job, sub);
  const { x } = scene.generated;
  const loss = scene.compute(ganGenerator(TEACHER), { noise: scene.draws(["eps", "t_idx"]), shared: {} });
  scene.output("gan_loss_gen", loss);
  scene.output("total_loss", loss);
  scene.output("gen_data", x);
  scene.output("logits", scene.logits(1)[0]);
  scene.gradient(loss, "gen_data", x);
  scene.gradients(loss, "student");
  await scene.check(job);
}

async function discriminatorTurn(job: Job, sub: Settings): Promise<void> {
  const [r1, r1Sigma] = [sub.gan_r1_reg_weight as number, sub.gan_r1_reg_alpha as number];
  const pairNoise: boolean = sub.gan_use_same_t_noise;
  const scene = new FastgenScene(job, sub);
  const judging = (weight: number) => {
    const noise = scene.draws(
      ...(pairNoise ? [] : ([["eps_real", "t_real_idx"]] as const)),
      ["eps", "t_idx"],
      ...(weight > 0 ? ([["eps_r1"]] as const) : []),
    );
    const options = { ...TEACHER, pairNoise, r1: weight, r1Sigma, r1From: "clean" } as const;
    return scene.compute(ganDiscriminator(options), { noise, shared: {} });
  };
  const game = judging(0);
  scene.output("gan_loss_disc", game);
  const total = r1 > 0 ? judging(r1) : game;
  const [real, generated, moved] = scene.logits(r1 > 0 ? 3 : 2);
  scene.output("total_loss", total);
  scene.output("logits_real", real);
  scene.output("logits_fake", generated);
  if (moved) scene.output("gan_loss_ar1", mean(square(minus(real, moved))));
  scene.output("gen_data", scene.generated.x);
  scene.gradients(total, "disc");
  await scene.check(job);
}
