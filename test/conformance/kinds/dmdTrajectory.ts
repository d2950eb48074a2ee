import { sizeOf } from "../../../core/tensor/shape.ts";
import { criticName, FILTER_VALUE, isBuffer } from "../dmdRecipe.ts";
import { type Trajectory, trajectoryOf } from "../dmdTrajectory.ts";
import type { GoldenCase } from "../goldenCase.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { readAs } from "../settings.ts";

const FILE = /^(dmd_traj.*)_(init|inputs|cycle(\d+))$/;

/** Whole alternating runs of the official trainer: its losses and draws, and the weights after its cycles. */
export const dmdTrajectoryKind: Kind = {
  name: "dmd trajectory",
  matches: ({ file }) => FILE.test(file.replace(/\.safetensors$/, "")),
  ownRule: true,
  async run(job) {
    const [, run, part, cycle] = FILE.exec(job.reference.name)!;
    const trajectory = await trajectoryOf(run, job.set, job.backend);
    readAs(job.reference.config, trajectory.config);
    if (part === "init") checkStart(job, trajectory);
    else if (part === "inputs") checkSteps(job, trajectory);
    else checkWeights(job, trajectory, Number(cycle));
  },
};

/** Every starting weight went into the roles: generator and critic begin as the teacher. */
function checkStart({ reference, check }: Job, { start }: Trajectory): void {
  const used = new Set<string>();
  const checked = (name: string, data: ArrayLike<number>) => {
    used.add(name);
    check(data, name);
  };
  for (const [name, { data }] of Object.entries(start.teacher)) checked(`w.teacher.${name}`, data);
  for (const [name, { data }] of Object.entries(start.generator)) checked(`w.teacher.${name}`, data);
  for (const [name, { data }] of Object.entries(start.critic)) {
    const own = criticName(name).replace(/^fake\./, "teacher.");
    checked(`w.${own}`, data);
  }
  for (const name of reference.names("w.").filter((each) => !used.has(each))) checkBuffer(reference, name, check);
}

/** The means of a 2×2 filter, which is no weight here. */
function checkBuffer(reference: GoldenCase, name: string, check: Job["check"]): void {
  if (!isBuffer(name)) throw new Error(`${name} belongs to no role`);
  check(new Float32Array(sizeOf(reference.shape(name))).fill(FILTER_VALUE), name);
}

/** Losses and images of every step, norms and rates of all of them. */
function checkSteps({ reference, check }: Job, { steps }: Trajectory): void {
  const scalars = {
    loss_dm: "distribution-matching",
    gen_cls_loss: "gan-generator",
    loss_fake_mean: "fake-score",
    guidance_cls_loss: "gan-discriminator",
  };
  steps.forEach(({ losses, image }, step) => {
    const at = `s${String(step).padStart(2, "0")}.`;
    for (const [official, own] of Object.entries(scalars))
      for (const name of [`${at}out.${official}`, `${at}f64.out.${official}`])
        if (reference.has(name) && losses[own] !== undefined) check([losses[own]], name);
    if (reference.has(`${at}out.generated_image`)) check(image, `${at}out.generated_image`);
  });
  const norms = (role: "generator" | "critic") => steps.map(({ norm }) => norm[role] ?? 0);
  check(norms("generator"), "out.gen_grad_norm");
  check(norms("critic"), "out.guidance_grad_norm");
  check(
    steps.flatMap(({ rate }) => [rate.generator, rate.critic]),
    "out.lr",
  );
}

/** Relative error of each weight's way from the start, as the notes of these files define it. */
function checkWeights(job: Job, { start, cycles }: Trajectory, cycle: number): void {
  const { reference, check, checkRatio } = job;
  const reached = cycles[cycle - 1];
  if (!reached) throw new Unsupported(`the run has ${cycles.length} cycles`);
  const known: Record<string, number> = reference.extra?.update_rel_l2_f32_vs_f64 ?? {};
  const left = new Set(reference.names("out."));
  for (const role of ["generator", "critic"] as const)
    for (const [name, { data }] of Object.entries(reached[role])) {
      const official = role === "generator" ? `generator.${name}` : criticName(name);
      const tensor = `out.${official}`;
      left.delete(tensor);
      const began = start[role][name].data;
      const expected = reference.f64(tensor);
      const way = distance(expected, began);
      if (way === 0) {
        check(data, tensor);
        continue;
      }
      const own = known[official] ?? 0;
      // Gradients that are zero in exact arithmetic: Adam makes steps of their rounding noise.
      if (own > 0.02) continue;
      checkRatio(distance(expected, data) / way / Math.max(0.02, 20 * own), `update of ${official}`);
    }
  for (const name of left) checkBuffer(reference, name, check);
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}
