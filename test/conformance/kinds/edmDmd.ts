import { sigmaGrid } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { CRITIC, GENERATOR, TEACHER } from "../../../core/interfaces/mod.ts";
import { layoutOf, packArenas, unpackArenas } from "../../../core/nn/mod.ts";
import { add, mul, reshape, sigmoid, slice } from "../../../core/ops/mod.ts";
import { sameShape, sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { imageBytes } from "../../../plugins/observers/drawing/imageBytes.ts";
import { criticName, dataShapeOf, FILTER_VALUE, isBuffer, rolesOf } from "../dmdRecipe.ts";
import { Scene } from "../edmScene.ts";
import { compose } from "../feed.ts";
import type { Job, Kind } from "../kind.ts";

const FORMS: readonly (readonly [RegExp, (job: Job) => Promise<void>])[] = [
  [/^dmd_karras_sigmas/, karrasTables],
  [/^dmd_weights/, weightFile],
  [/^dmd_dm_loss/, matchingLoss],
  [/^dmd_fake_loss/, fakeLoss],
  [/^dmd_gan/, ganLosses],
  [/^dmd_generator_turn/, generatorTurn],
  [/^dmd_guidance_turn/, criticTurn],
];

/** Losses, turns and weights of DMD2's EDM recipe, one evaluation each. */
export const edmDmdKind: Kind = {
  name: "edm dmd2",
  matches: ({ file }) => FORMS.some(([pattern]) => pattern.test(file)),
  run: (job) => FORMS.find(([pattern]) => pattern.test(job.reference.name))![1](job),
};

const both = (name: string): [string, string] => [`out.${name}`, `f64.out.${name}`];

async function karrasTables({ reference, check }: Job): Promise<void> {
  reference.config.tables.forEach(
    (t: { n: number; sigma_min: number; sigma_max: number; rho: number }, i: number) => {
      const sigmas = sigmaGrid(t.n, { sigmaMin: t.sigma_min, sigmaMax: t.sigma_max, rho: t.rho });
      for (const name of both(`sigmas${i}`)) if (reference.has(name)) check(sigmas, name);
    },
  );
}

/** Every weight goes into a role and comes back as it was: none is missing, none is left over. */
async function weightFile({ reference, check }: Job): Promise<void> {
  const { config } = reference;
  const container = compose(dataShapeOf(config), ...rolesOf(config));
  const roles = [
    { role: container.get(TEACHER), prefix: "w.real.", own: (name: string) => name },
    { role: container.get(GENERATOR), prefix: "w.generator.", own: (name: string) => name },
    { role: container.get(CRITIC), prefix: "w.", own: criticName },
  ];
  const left = new Set(reference.names("w."));
  for (const { role, prefix, own } of roles) {
    const layout = layoutOf((scope) => role.declare(scope));
    const given = Object.fromEntries(
      layout.entries.map(({ name, shape }) => {
        const stored = `${prefix}${own(name)}`;
        const there = reference.shape(stored);
        if (!sameShape(there, shape))
          throw new Error(`${stored} is [${there}], the role has [${shape}]`);
        left.delete(stored);
        return [name, { shape, data: reference.f32(stored) }];
      }),
    );
    const kept = unpackArenas(layout, packArenas(layout, given));
    for (const { name } of layout.entries) check(kept[name].data, `${prefix}${own(name)}`);
  }
  for (const name of left) {
    if (!isBuffer(name)) throw new Error(`${name} belongs to no role`);
    check(new Float32Array(sizeOf(reference.shape(name))).fill(FILTER_VALUE), name);
  }
}

async function matchingLoss(job: Job): Promise<void> {
  const scene = new Scene(job);
  const generated = scene.images("in.image", "in.labels");
  const noise = scene.draws(["rand.noise", "rand.timesteps"]);
  const loss = scene.loss("distribution-matching").compute(scene.context({ generated, noise }));
  const [dx] = grad(loss, [generated.x]);
  const { noisy, real, fake } = scene.seen;
  scene.output(loss, ...both("loss_dm"));
  scene.output(dx, "grad.in.image");
  // dL/dx = g / numel
  scene.output(mul(dx, sizeOf(dx.shape)), ...both("dmtrain_grad"));
  scene.output(noisy, "out.dmtrain_noisy_latents");
  scene.output(real, "out.dmtrain_pred_real_image");
  scene.output(fake, "out.dmtrain_pred_fake_image");
  await scene.check(job);
}

async function fakeLoss(job: Job): Promise<void> {
  const scene = new Scene(job);
  const generated = scene.images("in.image", "in.labels");
  const noise = scene.draws(["rand.noise", "rand.timesteps"]);
  const loss = scene.loss("fake-score").compute(scene.context({ generated, noise }));
  scene.gradients(loss, "critic", "grad.");
  scene.output(loss, ...both("loss_fake_mean"));
  scene.output(scene.seen.fake, "out.faketrain_x0_pred");
  await scene.check(job);
}

async function ganLosses(job: Job): Promise<void> {
  const scene = new Scene(job);
  const generated = scene.images("in.fake_image", "in.fake_labels");
  const real = scene.images("in.real_image", "in.real_labels");
  const own = scene.draws(["rand.gen.noise", "rand.gen.timesteps"]);
  const moving = scene
    .loss("gan-generator")
    .compute(scene.context({ generated, real, noise: own }));
  scene.output(moving, ...both("gen_cls_loss"));
  scene.output(grad(moving, [generated.x])[0], "grad.gen.in.fake_image");
  const noise = scene.draws(
    ["rand.real.noise", "rand.real.timesteps"],
    ["rand.fake.noise", "rand.fake.timesteps"],
  );
  const judging = scene
    .loss("gan-discriminator")
    .compute(scene.context({ generated, real, noise }));
  scene.output(judging, ...both("guidance_cls_loss"));
  scene.gradients(judging, "critic", "grad.disc.");
  judged(scene);
  await scene.check(job);
}

/** Logits, probabilities and features of the discriminator's last look: real images first, then generated ones. */
function judged(scene: Scene): void {
  const { reference, seen } = scene;
  const logits = seen.logits!;
  const B = logits.shape[0] / 2;
  const rows = (x: Tensor, first: number) => slice(x, { axis: 0, start: first, end: first + B });
  for (const [which, first] of [
    ["real", 0],
    ["fake", B],
  ] as const) {
    scene.output(rows(logits, first), `out.logits_${which}`);
    const probability = reshape(sigmoid(rows(logits, first)), [B]);
    scene.output(probability, `out.pred_realism_on_${which}`);
    const name = `out.bottleneck_${which}`;
    if (reference.has(name)) scene.output(rows(scene.features(), first), name);
  }
}

/** L_G = L_dm + w·L_gen on an image that the generator makes in one step. */
async function generatorTurn(job: Job): Promise<void> {
  const scene = new Scene(job);
  const { reference } = job;
  const { x: scaled, condition } = scene.images("in.scaled_noise", "in.labels");
  const x = scene.generate(scaled, scene.tensor("in.timestep_sigma"), condition);
  const noise = scene.draws(
    ["rand.dm_noise", "rand.dm_timesteps"],
    ["rand.cls_noise", "rand.cls_timesteps"],
  );
  const context = scene.context({ generated: { x, condition }, noise });
  const matching = scene.loss("distribution-matching").compute(context);
  const gan = scene.loss("gan-generator");
  const moving = gan?.compute(context);
  const total = moving ? add(matching, mul(moving, gan.weight)) : matching;
  const norm = scene.gradients(total, "generator", "grad.generator.", (name) => name);
  scene.output(x, ...both("generated_image"));
  scene.output(matching, ...both("loss_dm"));
  scene.output(moving, ...both("gen_cls_loss"));
  scene.output(mul(grad(matching, [x])[0], sizeOf(x.shape)), ...both("dmtrain_grad"));
  scene.output(norm, ...both("grad_norm"));
  await scene.check(job);
  // Truncation may tip over by an error within tolerance, so it is held to the reference's own image.
  if (reference.has("out.uint8_image")) {
    const image = reference.f32("out.generated_image");
    job.check(imageBytes(image, x.shape), "out.uint8_image");
  }
}

/** L_C = L_fake + w·L_disc on given images. */
async function criticTurn(job: Job): Promise<void> {
  const scene = new Scene(job);
  const generated = scene.images("in.fake_image", "in.fake_labels");
  const hasGan = scene.loss("gan-discriminator") !== undefined;
  const real = hasGan ? scene.images("in.real_image", "in.real_labels") : generated;
  const noise = scene.draws(
    ["rand.fake_noise", "rand.fake_timesteps"],
    ["rand.cls_real_noise", "rand.cls_real_timesteps"],
    ["rand.cls_fake_noise", "rand.cls_fake_timesteps"],
  );
  const context = scene.context({ generated, real, noise });
  const denoising = scene.loss("fake-score").compute(context);
  const gan = scene.loss("gan-discriminator");
  const judging = gan?.compute(context);
  const total = judging ? add(denoising, mul(judging, gan.weight)) : denoising;
  const norm = scene.gradients(total, "critic", "grad.", (name) => name);
  scene.output(denoising, ...both("loss_fake_mean"));
  scene.output(judging, ...both("guidance_cls_loss"));
  scene.output(norm, ...both("grad_norm"));
  await scene.check(job);
}
