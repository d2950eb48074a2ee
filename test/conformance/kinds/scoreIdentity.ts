import { edmProcess } from "../../../core/diffusion/mod.ts";
import { type Condition, type Denoiser, GENERATOR } from "../../../core/interfaces/mod.ts";
import { add, mul, reshape } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { denoisingTerms } from "../../../plugins/losses/shared/denoising.ts";
import { differenceTerms } from "../../../plugins/losses/shared/matching.ts";
import {
  encoderGame,
  identityLosses,
  identityTerms,
  identityTotal,
  perSampleSum,
} from "../../../plugins/losses/shared/scoreIdentity.ts";
import { scaleLevels } from "../../../plugins/losses/sid.ts";
import { compose, GivenNoise } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { NO_SCOPE, RivalScene } from "../rivalScene.ts";
import { ignore, type Settings } from "../settings.ts";

const SIGMA_DATA = 0.5;
const process = edmProcess(SIGMA_DATA);

/** SiD, SiDA and Diff-Instruct: both turns. */
export const scoreIdentityKind: Kind = {
  name: "SiD, SiDA and Diff-Instruct",
  matches: ({ file }) => /^(sid|sida|diff_instruct)\b/.test(file),
  run: (job) => job.each((sub) => turns[sub.loss as string]?.(job, sub) ?? refuse(sub)),
};

const refuse = ({ loss }: Settings): never => {
  throw new Unsupported(`no loss ${loss}`);
};

/** Weights of the two adversarial terms; a case of SiDA has both. */
const GAME = ["loss_scaling_G_gan", "loss_scaling_D", "logit_scale"];

const turns: Readonly<Record<string, (job: Job, sub: Settings) => Promise<void>>> = {
  generator: (job, sub) => (sub.tmax === undefined ? differenceTurn(job, sub) : identityTurn(job, sub)),
  fake_score: criticTurn,
  critic: criticTurn,
  direct: identityAlone,
};

/** What every turn starts from: one step of the student, and the three denoisers. */
function opened(job: Job, sub: Settings) {
  const scene = new RivalScene(job, sub.id);
  const condition: Condition = scene.condition();
  const noise = scene.tensor("rand.z");
  const shape = { sample: noise.shape.slice(1), condition: {}, sigmaData: SIGMA_DATA };
  const one = compose(shape, scene.networkPlugin("student"), fewStep({ sigmas: [sub.init_sigma] }));
  const student = one.get(GENERATOR).bind(NO_SCOPE);
  const x = student.generate(noise.shape[0], condition, new GivenNoise([noise]));
  scene.output("images", x);
  const eps = scene.tensor("rand.n");
  const roles: Record<"teacher" | "critic", Denoiser> = {
    teacher: scene.edm("teacher", SIGMA_DATA),
    critic: scene.edm("fake", SIGMA_DATA),
  };
  /** Draws of one number per sample. */
  const drawn = (name: string): Tensor => reshape(scene.tensor(`rand.${name}`), [noise.shape[0]]);
  return { scene, x, eps, condition, roles, drawn };
}

/** ln σ ~ N(−1.2, 1.2²). */
const edmLevels = (normal: Tensor): Tensor => new GivenNoise([normal]).logNormal(normal.shape[0], -1.2, 1.2);

async function identityTurn(job: Job, sub: Settings): Promise<void> {
  const { scene, x, eps, condition, roles, drawn } = opened(job, sub);
  const adversarial: number | undefined = sub.loss_scaling_G_gan;
  ignore(sub, "loss_scaling_D");
  const scale = { sigmaMin: 0.002, sigmaMax: 80, rho: 7, maxStep: sub.tmax / 1000 };
  const sigma = scaleLevels(drawn("u"), scale);
  const found = identityLosses({ x, sigma, eps, condition }, roles, { alpha: sub.alpha, logitScale: sub.logit_scale });
  const { loss_scaling_G: scaling } = sub;
  const total = mul(identityTotal(found, (adversarial ?? 0) / scaling), scaling);
  scene.output("loss", found.terms);
  if (found.adversarial) scene.output("loss_gan", found.adversarial);
  scene.output("total", total);
  scene.gradient(total, "images", x);
  scene.gradients(total, "student");
  await scene.check(job);
}

/** The terms where teacher and critic are constants. */
async function identityAlone(job: Job, sub: Settings): Promise<void> {
  const scene = new RivalScene(job, sub.id);
  const [x, real, fake] = ["images", "y_real", "y_fake"].map((name) => scene.tensor(`in.${name}`));
  const { terms } = identityTerms(x, { real, fake }, sub.alpha);
  const total = mul(perSampleSum(terms), x.shape[0]);
  scene.output("loss", terms);
  scene.output("total", total);
  scene.gradient(total, "in.images", x);
  await scene.check(job);
}

async function differenceTurn(job: Job, sub: Settings): Promise<void> {
  const { scene, x, eps, condition, roles, drawn } = opened(job, sub);
  const terms = differenceTerms({ x, sigma: edmLevels(drawn("ln")), eps, condition }, roles);
  const total = perSampleSum(terms);
  scene.output("loss", terms);
  scene.output("total", total);
  scene.gradient(total, "images", x);
  scene.gradients(total, "student");
  await scene.check(job);
}

async function criticTurn(job: Job, sub: Settings): Promise<void> {
  const { scene, x, eps, condition, roles, drawn } = opened(job, sub);
  ignore(sub, "tmax", "alpha", "loss_scaling_G", ...GAME);
  const samples = { x, sigma: edmLevels(drawn("ln")), eps, condition };
  const terms = denoisingTerms(samples, roles.critic, process);
  let total = perSampleSum(terms);
  if (sub.loss_scaling_D !== undefined) {
    const real = { x: scene.tensor("in.real"), condition };
    const game = encoderGame(samples, real, roles.critic, { process, logitScale: sub.logit_scale });
    total = add(total, mul(perSampleSum(game), sub.loss_scaling_D));
    scene.output("loss_D", game);
  }
  scene.output("loss", terms);
  scene.output("total", total);
  scene.gradients(total, "fake");
  await scene.check(job);
}
