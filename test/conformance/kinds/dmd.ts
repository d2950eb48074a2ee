import { backwardSimulation, fewStepTimesteps, perSample, sigmaGrid } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { CRITIC, GENERATOR, PROCESS, TEACHER } from "../../../core/interfaces/mod.ts";
import { isLora, layoutOf, packArenas, unpackArenas } from "../../../core/nn/mod.ts";
import { add, constant, div, mul, reshape, sigmoid, slice, sqrt, square } from "../../../core/ops/mod.ts";
import { sameShape, sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { imageBytes } from "../../../plugins/observers/drawing/imageBytes.ts";
import { criticName, FILTER_VALUE, isBuffer, recipeOf, timestepsOf } from "../dmdRecipe.ts";
import { DmdScene } from "../dmdScene.ts";
import { compose, GivenNoise } from "../feed.ts";
import type { GoldenCase } from "../goldenCase.ts";
import type { Job, Kind } from "../kind.ts";
import { only, type Settings } from "../settings.ts";

const forms: readonly (readonly [RegExp, (job: Job) => Promise<void>])[] = [
  [/^dmd_karras_sigmas/, karrasTables],
  [/^(dmd|sd|sdxl)_weights/, weightFile],
  [/^(dmd|sd|sdxl)_dm_loss/, matchingLoss],
  [/^(dmd|sd|sdxl)_fake_loss/, fakeLoss],
  [/^(dmd|sd|sdxl)_gan/, ganLosses],
  [/^(dmd|sd|sdxl)_generator_turn/, generatorTurn],
  [/^(dmd|sd|sdxl)_guidance_turn/, criticTurn],
  [/^(sd|sdxl)_backward_simulation/, simulation],
];

/** Losses, turns, backward simulation and weights of DMD2's recipes, one evaluation each. */
export const dmdKind: Kind = {
  name: "dmd2",
  matches: ({ file }) => forms.some(([pattern]) => pattern.test(file)),
  run: (job) => forms.find(([pattern]) => pattern.test(job.reference.name))![1](job),
};

async function karrasTables({ reference, check }: Job): Promise<void> {
  reference.config.tables.forEach((table: Settings, i: number) => {
    const { n, sigma_min: sigmaMin, sigma_max: sigmaMax, rho } = table;
    const sigmas = sigmaGrid(n, { sigmaMin, sigmaMax, rho });
    for (const name of [`out.sigmas${i}`, `f64.out.sigmas${i}`]) if (reference.has(name)) check(sigmas, name);
  });
}

/** Every weight goes into a role and comes back as it was: none is missing, none is left over. */
async function weightFile({ reference, check }: Job): Promise<void> {
  const { config } = reference;
  // A file of adapters alone holds nothing of what they adapt.
  const adapters = config.lora_rank === undefined ? undefined : config;
  const { shape, plugins } = recipeOf(config, { adapters });
  const container = compose(shape, ...plugins);
  const same = (name: string) => name;
  const roles = [
    { role: container.get(TEACHER), prefix: "w.real.", own: same, when: "w.real." },
    { role: container.get(CRITIC), prefix: "w.", own: criticName, when: "w.fake." },
    { role: container.get(GENERATOR), prefix: "w.generator.", own: same, when: "w.generator." },
    ...(adapters ? [{ role: container.get(GENERATOR), prefix: "w.", own: same, when: "w." }] : []),
  ].filter(({ when }) => reference.names(when).length > 0);
  const left = new Set(reference.names("w."));
  for (const { role, prefix, own } of roles) {
    const all = layoutOf((scope) => role.declare(scope));
    const layout = { ...all, entries: all.entries.filter(({ name }) => !adapters || isLora(name)) };
    const given = layout.entries.map(({ name, shape }) => {
      const stored = `${prefix}${own(name)}`;
      const there = reference.shape(stored);
      if (!sameShape(there, shape)) throw new Error(`${stored} is [${there}], the role has [${shape}]`);
      left.delete(stored);
      return [name, { shape, data: reference.f32(stored) }] as const;
    });
    const kept = unpackArenas(layout, packArenas(layout, Object.fromEntries(given)));
    for (const { name } of layout.entries) check(kept[name].data, `${prefix}${own(name)}`);
  }
  for (const name of left) {
    if (!isBuffer(name)) throw new Error(`no role has ${name}`);
    check(new Float32Array(sizeOf(reference.shape(name))).fill(FILTER_VALUE), name);
  }
}

async function matchingLoss(job: Job): Promise<void> {
  const scene = new DmdScene(job);
  const generated = scene.images();
  const context = scene.context({ generated, noise: scene.draws("") });
  const loss = scene.loss("distribution-matching").compute(context);
  const [dx] = grad(loss, [generated.x]);
  scene.output(loss, "out.loss_dm");
  scene.output(dx, `grad.in.${scene.samples}`);
  // dL/dx = g / numel
  scene.output(mul(dx, sizeOf(dx.shape)), "out.dmtrain_grad");
  scene.output(asModelSees(scene), "out.dmtrain_noisy_latents");
  scene.output(scene.seen.real, "out.dmtrain_pred_real_image");
  scene.output(scene.seen.fake, "out.dmtrain_pred_fake_image");
  await scene.check(job);
}

/** The noisy samples: x0 + σ·ε, which a network of discrete timesteps sees divided by √(1 + σ²). */
function asModelSees({ container, seen }: DmdScene): Tensor {
  const { noisy, sigma } = seen as Required<DmdScene["seen"]>;
  if (!container.get(PROCESS).sigmas) return noisy;
  return div(noisy, sqrt(add(1, square(perSample(sigma, noisy.shape.length)))));
}

async function fakeLoss(job: Job): Promise<void> {
  const scene = new DmdScene(job);
  const context = scene.context({ generated: scene.images(), noise: scene.draws("") });
  const loss = scene.loss("fake-score").compute(context);
  scene.gradients(loss, "critic", "grad.", criticName);
  scene.output(loss, "out.loss_fake_mean");
  scene.output(scene.seen.fake, "out.faketrain_x0_pred");
  await scene.check(job);
}

async function ganLosses(job: Job): Promise<void> {
  const scene = new DmdScene(job);
  const [generated, real] = [scene.images("fake_"), scene.images("real_")];
  const moving = scene.loss("gan-generator")!.compute(scene.context({ generated, real, noise: scene.draws("gen.") }));
  scene.output(moving, "out.gen_cls_loss");
  scene.output(grad(moving, [generated.x])[0], `grad.gen.in.fake_${scene.samples}`);
  const judging = scene
    .loss("gan-discriminator")!
    .compute(scene.context({ generated, real, noise: scene.draws("real.", "fake.") }));
  scene.output(judging, "out.guidance_cls_loss");
  scene.gradients(judging, "critic", "grad.disc.", criticName);
  // Real images come first, generated ones after.
  const logits = scene.seen.logits!;
  const B = generated.x.shape[0];
  const rows = (x: Tensor, first: number) => slice(x, { axis: 0, start: first, end: first + B });
  for (const [which, first] of [
    ["real", 0],
    ["fake", B],
  ] as const) {
    scene.output(rows(logits, first), `out.logits_${which}`);
    const probability = () => reshape(sigmoid(rows(logits, first)), [B]);
    scene.output(probability, `out.pred_realism_on_${which}`);
    for (const name of ["bottleneck", "mid"]) scene.output(() => rows(scene.features(), first), `out.${name}_${which}`);
  }
  await scene.check(job);
}

/** L_G = w_dm·L_dm + w_gen·L_gen on what the generator makes, in one step or several. */
async function generatorTurn(job: Job): Promise<void> {
  const scene = new DmdScene(job);
  const { reference } = job;
  const x = generatedSamples(scene);
  const generated = { x, condition: scene.condition() };
  const context = scene.context({ generated, noise: scene.draws("dm_", "cls_") });
  const matching = scene.loss("distribution-matching");
  const loss = matching.compute(context);
  const gan = scene.loss("gan-generator");
  const moving = reference.has("out.gen_cls_loss") ? gan?.compute(context) : undefined;
  const [dm, cls] = [mul(loss, matching.weight), moving && mul(moving, gan!.weight)];
  const prefix = reference.names("grad.generator.").length > 0 ? "grad.generator." : "grad.";
  scene.output(scene.gradients(cls ? add(dm, cls) : dm, "generator", prefix), "out.grad_norm");
  for (const name of ["image", "latents"]) scene.output(x, `out.generated_${name}`);
  scene.output(loss, "out.loss_dm");
  scene.output(moving, "out.gen_cls_loss");
  scene.output(mul(grad(loss, [x])[0], sizeOf(x.shape)), "out.dmtrain_grad");
  if (reference.has("out.denoising_timestep")) {
    const taken = Array.from(rungsOf(reference), (rung) => timestepsOf(reference.config)[rung]);
    job.check(taken, "out.denoising_timestep");
  }
  await scene.check(job);
  // Truncation may tip over by an error within tolerance, so it is held to the reference's own image.
  if (reference.has("out.uint8_image"))
    job.check(imageBytes(reference.f32("out.generated_image"), x.shape), "out.uint8_image");
}

/** Which step of its list each sample takes: one draw for all with backward simulation. */
function rungsOf(reference: GoldenCase): ArrayLike<number> {
  const [B] = reference.shape("in.noise");
  const { config } = reference;
  if (!config.backward_simulation) return reference.i32("rand.step_indices");
  const [selected] = reference.i32("rand.selected_step");
  only(config, "selected_step", selected);
  return new Int32Array(B).fill(selected);
}

/** What the generator makes of the case's draws. */
function generatedSamples(scene: DmdScene): Tensor {
  const { reference } = scene;
  const condition = scene.condition();
  if (reference.has("in.scaled_noise")) {
    const [scaled, sigma] = [scene.tensor("in.scaled_noise"), scene.tensor("in.timestep_sigma")];
    return scene.generator.denoise(scaled, sigma, condition);
  }
  const noise = scene.tensor("in.noise");
  const [B] = noise.shape;
  const steps = scene.container.get(GENERATOR).sigmas.length;
  if (steps === 1) return scene.generator.generate(B, condition, new GivenNoise([noise]));
  const rungs = rungsOf(reference);
  const index = scene.feed.tensor("rung", [B], rungs, "i32");
  if (!reference.config.backward_simulation) {
    // Every step draws, and the case has one draw for the step that is taken.
    const same = new GivenNoise(new Array<Tensor>(steps).fill(noise), [index]);
    return scene.generator.generate(B, condition, same, { x: scene.tensor("in.clean"), condition });
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
const rowOf = (x: Tensor, i: number): Tensor => reshape(slice(x, { axis: 0, start: i, end: i + 1 }), x.shape.slice(1));

/** L_C = L_fake + w_disc·L_disc on given samples. */
async function criticTurn(job: Job): Promise<void> {
  const scene = new DmdScene(job);
  const { reference } = job;
  const generated = scene.images("fake_");
  const real = reference.has(`in.real_${scene.samples}`) ? scene.images("real_") : generated;
  const noise = scene.draws("fake_", "cls_real_", "cls_fake_");
  const context = scene.context({ generated, real, noise });
  const denoising = scene.loss("fake-score").compute(context);
  const gan = scene.loss("gan-discriminator");
  const judging = reference.has("out.guidance_cls_loss") ? gan?.compute(context) : undefined;
  const total = judging ? add(denoising, mul(judging, gan!.weight)) : denoising;
  scene.output(scene.gradients(total, "critic", "grad."), "out.grad_norm");
  scene.output(denoising, "out.loss_fake_mean");
  scene.output(judging, "out.guidance_cls_loss");
  await scene.check(job);
}

/** What the generator has made when it arrives at a step, and that step. */
async function simulation(job: Job): Promise<void> {
  const scene = new DmdScene(job);
  const { reference } = job;
  const { num_denoising_step: steps, num_train_timesteps: T } = reference.config;
  const [taken] = reference.i32("rand.selected_step");
  only(reference.config, "selected_step", taken);
  job.check([fewStepTimesteps(steps, T)[taken]], "out.return_timesteps");
  const process = scene.container.get(PROCESS);
  const sigmas = scene.container.get(GENERATOR).sigmas.slice(0, taken + 1);
  const noise = scene.tensor("in.noise");
  const start = mul(noise, process.start(sigmas[0]));
  let drawn = 0;
  // The last draw is for the call after the simulation, which the case does not make.
  const next = () => (drawn < taken - 1 ? rowOf(scene.tensor("rand.noise"), drawn++) : constant(0, "f32", noise.shape));
  const rungs = backwardSimulation(scene.generator, sigmas, start, scene.condition(), next);
  const last = [...rungs][taken];
  const made = last.clean ?? div(last.x, process.scale(sigmas[0]));
  scene.output(made, "out.generated_image");
  await scene.check(job);
}
