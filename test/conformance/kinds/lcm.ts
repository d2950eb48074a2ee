import { perSample, timestepProcess } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { add, div, mean, mul, sub } from "../../../core/ops/mod.ts";
import { toldScale } from "../../../plugins/generators/shared/guidanceScale.ts";
import { boundaryFactors, timestepBoundary } from "../../../plugins/generators/shared/timestepBoundary.ts";
import { consistencyLosses } from "../../../plugins/losses/shared/consistency.ts";
import { huberDistance, sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { guidedByScale } from "../../../plugins/losses/shared/guidance.ts";
import { skippingSteps } from "../../../plugins/losses/shared/latentConsistency.ts";
import { ddimTo } from "../../../plugins/losses/shared/pathSteps.ts";
import { scaleEmbedding } from "../../../plugins/networks/unet2d/scaleEmbedding.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { type Call, RivalScene, watchedDenoiser, watchedNetwork } from "../rivalScene.ts";
import { ignore, only, type Settings } from "../settings.ts";

/** Latent consistency distillation, whole and of adapters. */
export const lcmKind: Kind = {
  name: "latent consistency distillation",
  matches: ({ file }) => /^lcm_distill/.test(file),
  run: (job) => job.each((sub) => runLoss(job, sub)),
};

const predictions = { epsilon: "epsilon", v_prediction: "velocity", sample: "sample" } as const;
const prompts = { classes: { shape: [], dtype: "f32", empty: "stored" } } as const;

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const prediction = predictions[settings.prediction_type as keyof typeof predictions];
  if (!prediction) throw new Unsupported(`no prediction ${settings.prediction_type}`);
  // The variant for adapters tells the network no scale, and the student is its own target.
  const adapters = only(settings, "script", "full", "lora") === "lora";
  const scene = new RivalScene(job, settings.id);
  const alphasCumprod = [...job.reference.f64("in.alphas_cumprod")];
  const sigmas = alphasCumprod.map((abar) => Math.sqrt((1 - abar) / abar));
  const process = timestepProcess({ betas: [], alphasCumprod, sigmas }, prediction);
  const boundary = { scaling: settings.timestep_scaling_factor, sigmaData: 0.5 };
  const steps = skippingSteps(sigmas.length, settings.num_ddim_timesteps);
  const chosen = scene.indices("rand.index").map((index) => steps[index]);
  const [starts, ends] = [chosen.map(({ from }) => from), chosen.map(({ to }) => to)];
  const factors = [starts, ends].map((each) => each.map((timestep) => boundaryFactors(timestep, boundary)));
  ["_start", ""].forEach((place, k) => {
    scene.output(
      `c_skip${place}`,
      factors[k].map(({ skip }) => skip),
    );
    scene.output(
      `c_out${place}`,
      factors[k].map(({ out }) => out),
    );
  });
  scene.output("start_timesteps", starts);
  scene.output("timesteps", ends);
  const [sigma, next] = [starts, ends].map((each, k) =>
    scene.perSample(
      `level${k}`,
      each.map((timestep) => sigmas[timestep]),
    ),
  );

  const { w_min: low, w_max: high } = settings;
  const w = add(mul(scene.tensor("rand.w_u"), high - low), low);
  scene.output("w", w);
  const guidance = add(w, 1);
  const { time_cond_proj_dim: width } = settings;
  scene.output("w_embedding", scaleEmbedding(guidance, width));
  const calls = { student: [] as Call[], target: [] as Call[], teacher: [] as Call[] };
  const denoiser = (net: keyof typeof calls) =>
    process.denoiser((x, timestep, condition) =>
      watchedNetwork(scene.network(net), calls[net])(x, mul(timestep, 1e-3), condition),
    );
  const functions = { student: [] as Call[], target: [] as Call[] };
  const bounded = (net: keyof typeof functions) => {
    const known = adapters ? deaf(denoiser(net)) : denoiser(net);
    return watchedDenoiser(timestepBoundary(known, { sigmas }, process.scale, boundary), functions[net]);
  };
  const parts: Call[] = [];
  const guided: Call[] = [];
  const teacher = watchedDenoiser(guidedByScale(watchedDenoiser(denoiser("teacher"), parts), prompts), guided);
  const student = bounded("student");
  const losses = consistencyLosses(
    {
      x: scene.tensor("in.latents"),
      eps: scene.tensor("rand.noise"),
      sigma,
      next,
      condition: { classes: scene.tensor("in.prompt"), "empty.classes": scene.tensor("in.uncond"), guidance },
    },
    { generator: student, target: adapters ? student : bounded("target"), teacher },
    { distance: distanceOf(settings), step: ddimTo },
  );
  const loss = mean(losses);
  const own = adapters ? functions.student[1] : functions.target[0];
  scene.output("noisy_model_input", calls.student[0].x);
  scene.output("noise_pred", calls.student[0].out);
  scene.output("model_pred", functions.student[0].out);
  for (const [name, call] of [
    ["cond_pred", parts[0]],
    ["uncond_pred", parts[1]],
    ["pred", guided[0]],
  ] as const) {
    scene.output(`${name}_x0`, call.out);
    scene.output(`${name}_noise`, noiseIn(call));
  }
  scene.output("x_prev", (adapters ? calls.student[1] : calls.target[0]).x);
  scene.output("target", own.out);
  scene.output("loss", loss);
  scene.gradients(loss, "student");
  await scene.check(job);
}

/** One that is told no scale of guidance. */
const deaf = ({ denoise }: Denoiser): Denoiser => ({
  denoise: (x, sigma, condition) => denoise(x, sigma, toldScale(condition, x.shape[0], undefined)),
});

/** The noise that a prediction leaves. */
const noiseIn = ({ x, sigma, out }: Call) => div(sub(x, out), perSample(sigma, x.shape.length));

function distanceOf(settings: Settings) {
  if (settings.loss_type === "huber") return huberDistance(settings.huber_c);
  if (settings.loss_type !== "l2") throw new Unsupported(`no distance ${settings.loss_type}`);
  ignore(settings, "huber_c");
  return sampleDistances.l2;
}
