import {
  addNoise,
  backwardSimulation,
  fewStepTimesteps,
  perSample,
} from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { CRITIC, GENERATOR, TEACHER } from "../../../core/interfaces/mod.ts";
import {
  isLora,
  layoutOf,
  type ParameterLayout,
  packArenas,
  unpackArenas,
} from "../../../core/nn/mod.ts";
import {
  add,
  constant,
  constantArray,
  div,
  mul,
  reshape,
  slice,
  sqrt,
  square,
} from "../../../core/ops/mod.ts";
import { sameShape, sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { compose, GivenNoise } from "../feed.ts";
import type { GoldenCase } from "../goldenCase.ts";
import type { Job, Kind } from "../kind.ts";
import { latentPlugins, latentShapeOf, timestepsOf } from "../latentRecipe.ts";
import { criticName, LatentScene } from "../latentScene.ts";

const forms: readonly (readonly [RegExp, (job: Job) => Promise<void>])[] = [
  [/^sd(xl)?_weights/, weightFile],
  [/^sd(xl)?_dm_loss/, matchingLoss],
  [/^sd(xl)?_fake_loss/, fakeLoss],
  [/^sd(xl)?_gan/, ganLosses],
  [/^sd(xl)?_generator_turn/, generatorTurn],
  [/^sd(xl)?_guidance_turn/, criticTurn],
  [/^sd(xl)?_backward_simulation/, simulation],
];

/** Losses, turns, backward simulation and weights of DMD2's latent recipes. */
export const latentDmdKind: Kind = {
  name: "latent dmd2",
  matches: ({ file }) => forms.some(([pattern]) => pattern.test(file)),
  run: (job) => forms.find(([pattern]) => pattern.test(job.reference.name))![1](job),
};

/** Every weight goes into a role and comes back as it was: none is missing, none is left over. */
async function weightFile({ reference, check }: Job): Promise<void> {
  const { config } = reference;
  const adapters = config.lora_rank === undefined ? undefined : config;
  const container = compose(latentShapeOf(config), ...latentPlugins(config, adapters));
  const same = (name: string) => name;
  const roles = [
    { role: container.get(TEACHER), prefix: "w.real.", own: same, when: "w.real." },
    { role: container.get(CRITIC), prefix: "w.", own: criticName, when: "w.fake." },
    { role: container.get(GENERATOR), prefix: "w.generator.", own: same, when: "w.generator." },
    ...(adapters ? [{ role: container.get(GENERATOR), prefix: "w.", own: same, when: "w." }] : []),
  ].filter(({ when }) => reference.names(when).length > 0);
  const left = new Set(reference.names("w."));
  for (const { role, prefix, own } of roles) {
    const whole = layoutOf((scope) => role.declare(scope));
    // A file of adapters alone holds nothing of what they adapt.
    const entries = whole.entries.filter(({ name }) => !adapters || isLora(name));
    roundTrip(reference, { ...whole, entries }, (name) => prefix + own(name)).forEach(
      (data, name) => {
        left.delete(name);
        check(data, name);
      },
    );
  }
  if (left.size > 0) throw new Error(`no role has ${[...left].join(", ")}`);
}

/** Stored tensors after a way through the flat tensors of a role, by their names in the file. */
function roundTrip(
  reference: GoldenCase,
  layout: ParameterLayout,
  nameOf: (parameter: string) => string,
): Map<string, Float32Array> {
  const given = layout.entries.map(({ name, shape }) => {
    const stored = reference.shape(nameOf(name));
    if (!sameShape(stored, shape))
      throw new Error(`${nameOf(name)} is [${stored}], the role has [${shape}]`);
    return [name, { shape, data: reference.f32(nameOf(name)) }] as const;
  });
  const kept = unpackArenas(layout, packArenas(layout, Object.fromEntries(given)));
  return new Map(layout.entries.map(({ name }) => [nameOf(name), kept[name].data]));
}

async function matchingLoss(job: Job): Promise<void> {
  const scene = new LatentScene(job, "in.latents");
  const generated = scene.images(scene.tensor("in.latents"));
  const loss = scene
    .loss("distribution-matching")
    .compute(scene.context({ generated, noise: scene.draws("") }));
  const [dx] = grad(loss, [generated.x]);
  scene.output(loss, "out.loss_dm");
  scene.output(dx, "grad.in.latents");
  // dL/dx = g / numel
  scene.output(mul(dx, sizeOf(dx.shape)), "out.dmtrain_grad");
  const sigma = sigmasAt(scene, job.reference.i32("rand.timesteps"));
  const noisy = addNoise(generated.x, sigma, scene.tensor("rand.noise"));
  scene.output(modelScale(noisy, sigma), "out.dmtrain_noisy_latents");
  const looks = [noisy, sigma, generated.condition] as const;
  scene.output(scene.teacher.denoise(...looks), "out.dmtrain_pred_real_image");
  scene.output(scene.critic.denoise(...looks), "out.dmtrain_pred_fake_image");
  await scene.check(job);
}

/** Levels of timesteps, [B]. */
function sigmasAt(scene: LatentScene, timesteps: ArrayLike<number>): Tensor {
  const levels = Array.from(timesteps, (timestep) => scene.process.sigmas![timestep]);
  return constantArray(levels, [levels.length]);
}

/** x0 + σ·ε as the network sees it: of variance 1. */
const modelScale = (x: Tensor, sigma: Tensor): Tensor =>
  div(x, sqrt(add(1, square(perSample(sigma, x.shape.length)))));

async function fakeLoss(job: Job): Promise<void> {
  const scene = new LatentScene(job, "in.latents");
  const generated = scene.images(scene.tensor("in.latents"));
  const context = scene.context({ generated, noise: scene.draws("") });
  const loss = scene.loss("fake-score").compute(context);
  scene.output(loss, "out.loss_fake_mean");
  scene.gradients(loss, "critic", "grad.", criticName);
  const sigma = sigmasAt(scene, job.reference.i32("rand.timesteps"));
  const noisy = addNoise(generated.x, sigma, scene.tensor("rand.noise"));
  scene.output(scene.critic.denoise(noisy, sigma, generated.condition), "out.faketrain_x0_pred");
  await scene.check(job);
}

async function ganLosses(job: Job): Promise<void> {
  const scene = new LatentScene(job, "in.fake_latents");
  const generated = scene.images(scene.tensor("in.fake_latents"), "fake_");
  const real = scene.images(scene.tensor("in.real_latents"), "real_");
  const moving = scene
    .loss("gan-generator")
    .compute(scene.context({ generated, real, noise: scene.draws("gen.") }));
  scene.output(moving, "out.gen_cls_loss");
  scene.output(grad(moving, [generated.x])[0], "grad.gen.in.fake_latents");
  const judging = scene
    .loss("gan-discriminator")
    .compute(scene.context({ generated, real, noise: scene.draws("real.", "fake.") }));
  scene.output(judging, "out.guidance_cls_loss");
  scene.gradients(judging, "critic", "grad.disc.", criticName);
  // Real images come first, generated ones after.
  const B = generated.x.shape[0];
  const rows = (x: Tensor, start: number) => slice(x, { axis: 0, start, end: start + B });
  const { logits } = scene.judged!;
  for (const [which, first] of [
    ["real", 0],
    ["fake", B],
  ] as const) {
    scene.output(rows(logits!, first), `out.logits_${which}`);
    scene.output(rows(scene.features(), first), `out.mid_${which}`);
  }
  await scene.check(job);
}

/** L_G = w_dm·L_dm + w_gen·L_gen on what the generator makes, in one step or several. */
async function generatorTurn(job: Job): Promise<void> {
  const scene = new LatentScene(job, "in.noise");
  const { reference } = job;
  const condition = scene.condition();
  const x = generatedLatents(scene, reference);
  const noise = scene.draws("dm_", "cls_");
  const context = scene.context({ generated: { x, condition }, noise });
  const [matching, gan] = [scene.loss("distribution-matching"), scene.loss("gan-generator")];
  const loss = matching.compute(context);
  scene.output(x, "out.generated_latents");
  scene.output(loss, "out.loss_dm");
  scene.output(mul(grad(loss, [x])[0], sizeOf(x.shape)), "out.dmtrain_grad");
  let total = mul(loss, matching.weight);
  if (reference.has("out.gen_cls_loss")) {
    const moving = gan.compute(context);
    scene.output(moving, "out.gen_cls_loss");
    total = add(total, mul(moving, gan.weight));
  }
  const prefix = reference.names("grad.generator.").length > 0 ? "grad.generator." : "grad.";
  scene.output(
    scene.gradients(total, "generator", prefix, (name) => name),
    "out.grad_norm",
  );
  if (reference.has("out.denoising_timestep")) {
    const taken = Array.from(rungsOf(reference), (rung) => timestepsOf(reference.config)[rung]);
    job.check(taken, "out.denoising_timestep");
  }
  await scene.check(job);
}

/** Which step of its list each sample takes: one draw for all with backward simulation. */
function rungsOf(reference: GoldenCase): ArrayLike<number> {
  const [B] = reference.shape("in.noise");
  if (!reference.config.backward_simulation) return reference.i32("rand.step_indices");
  return new Int32Array(B).fill(reference.i32("rand.selected_step")[0]);
}

/** What the generator makes of the case's draws. */
function generatedLatents(scene: LatentScene, reference: GoldenCase): Tensor {
  const condition = scene.condition();
  const noise = scene.tensor("in.noise");
  const [B] = noise.shape;
  const steps = scene.sigmas.length;
  if (steps === 1) return scene.generator.generate(B, condition, new GivenNoise([noise]));
  const rungs = rungsOf(reference);
  const index = scene.feed.tensor("rung", [B], rungs, "i32");
  if (!reference.config.backward_simulation) {
    // Every step draws, and the case has one draw for the step that is taken.
    const same = new GivenNoise(new Array<Tensor>(steps).fill(noise), [index]);
    return scene.generator.generate(B, condition, same, scene.images(scene.tensor("in.clean")));
  }
  // The rung taken starts from `in.noise`; noise of the rungs after it changes nothing.
  const [rung] = Array.from(rungs);
  const normals = Array.from({ length: steps }, (_, i) => {
    if (i === rung) return noise;
    if (i > rung) return constant(0, "f32", noise.shape);
    if (i === 0) return scene.tensor("rand.sim_start");
    return rowOf(scene.tensor("rand.sim_noise"), i - 1);
  });
  return scene.generator.generate(B, condition, new GivenNoise(normals, [index]));
}

/** x[i]. */
const rowOf = (x: Tensor, i: number): Tensor =>
  reshape(slice(x, { axis: 0, start: i, end: i + 1 }), x.shape.slice(1));

/** L_C = L_fake + w_disc·L_disc on given latents. */
async function criticTurn(job: Job): Promise<void> {
  const scene = new LatentScene(job, "in.fake_latents");
  const { reference } = job;
  const generated = scene.images(scene.tensor("in.fake_latents"), "fake_");
  const real = reference.has("in.real_latents")
    ? scene.images(scene.tensor("in.real_latents"), "real_")
    : generated;
  const noise = scene.draws("fake_", "cls_real_", "cls_fake_");
  const context = scene.context({ generated, real, noise });
  const denoising = scene.loss("fake-score").compute(context);
  scene.output(denoising, "out.loss_fake_mean");
  let total = denoising;
  if (reference.has("out.guidance_cls_loss")) {
    const gan = scene.loss("gan-discriminator");
    const judging = gan.compute(context);
    scene.output(judging, "out.guidance_cls_loss");
    total = add(total, mul(judging, gan.weight));
  }
  scene.output(
    scene.gradients(total, "critic", "grad.", (name) => name),
    "out.grad_norm",
  );
  await scene.check(job);
}

/** What the generator has made when it arrives at a step, and that step. */
async function simulation(job: Job): Promise<void> {
  const scene = new LatentScene(job, "in.noise");
  const { reference } = job;
  const { num_denoising_step: steps, num_train_timesteps: T } = reference.config;
  const [taken] = reference.i32("rand.selected_step");
  job.check([fewStepTimesteps(steps, T)[taken]], "out.return_timesteps");
  const sigmas = scene.sigmas.slice(0, taken + 1);
  const noise = scene.tensor("in.noise");
  const start = mul(noise, scene.process.start(sigmas[0]));
  let drawn = 0;
  // The last draw is for the call after the simulation, which the case does not make.
  const next = () =>
    drawn < taken - 1
      ? rowOf(scene.tensor("rand.noise"), drawn++)
      : constant(0, "f32", noise.shape);
  const rungs = backwardSimulation(scene.generator, sigmas, start, scene.condition(), next);
  const last = [...rungs][taken];
  const made = last.clean ?? div(last.x, scene.process.scale(sigmas[0]));
  scene.output(made, "out.generated_image");
  await scene.check(job);
}
