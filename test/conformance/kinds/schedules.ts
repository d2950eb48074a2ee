import {
  convertPrediction,
  discreteTable,
  fewStepTimesteps,
  type Mixing,
  mixingAt,
} from "../../../core/diffusion/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { routeOf, type SchedulerArgs, tableOptions } from "../diffusersScheduler.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { replaced } from "../settings.ts";

/** Tables of β and ᾱ, and the timesteps and levels of every public scheduler. */
export const scheduleTablesKind: Kind = {
  name: "noise tables",
  matches: ({ file }) => /^sched_tables/.test(file),
  // Names of its tensors, which say which timesteps they are.
  silent: ["timesteps", "dmd2_note"],
  async run({ reference, check }) {
    const schedules = reference.config.schedules as readonly (SchedulerArgs & { id: string })[];
    for (const args of schedules) {
      const { id } = args;
      const options = tableOptions(args);
      const table = discreteTable({ ...options, precision: "float32" });
      const zero = discreteTable({ ...options, zeroTerminalSnr: true, precision: "float32" });
      const made = {
        betas: table.betas,
        alphas_cumprod: table.alphasCumprod,
        "f64.alphas_cumprod": discreteTable(options).alphasCumprod,
        alphas_cumprod_zero_snr: zero.alphasCumprod,
      };
      for (const [name, values] of Object.entries(made))
        if (reference.has(`${id}.${name}`)) check(values, `${id}.${name}`);
    }
    // The timesteps are those of the table that Stable Diffusion has.
    const args = schedules.find((each) => each.beta_schedule === "scaled_linear") ?? schedules[0];
    for (const name of [...reference.names("ts."), ...reference.names("sigmas.")]) {
      const { timesteps, sigmas } = namedRoute(name, args);
      check((name.startsWith("ts.") ? timesteps : sigmas) ?? [], name);
    }
    for (const name of reference.names("dmd2_denoising_step_list.")) {
      const [, count, steps] = /\.T(\d+)\.n(\d+)$/.exec(name) ?? [];
      check(fewStepTimesteps(Number(steps), Number(count)), name);
    }
  },
};

/** `ts.<scheduler>.<spacing>.off<offset>.n<steps>`, or `ts.<scheduler>.karras.n<steps>`. */
function namedRoute(name: string, schedule: SchedulerArgs) {
  const found = /^\w+\.(\w+)\.(\w+)(?:\.off(\d+))?\.n(\d+)$/.exec(name);
  if (!found) throw new Unsupported(`no timesteps ${name}`);
  const [, scheduler, spacing, offset = "0", steps] = found;
  const place =
    spacing === "karras"
      ? { use_karras_sigmas: true }
      : spacing === "lu"
        ? { use_lu_lambdas: true }
        : { timestep_spacing: spacing as SchedulerArgs["timestep_spacing"] };
  const offsetArgs = { steps_offset: Number(offset) };
  return routeOf(scheduler, replaced(schedule, { ...place, ...offsetArgs }), Number(steps));
}

/** Noising and reading predictions at given timesteps, on the device. */
export const addNoiseKind: Kind = {
  name: "add noise",
  matches: ({ file }) => /^sched_add_noise/.test(file),
  run: runAddNoise,
};

async function runAddNoise({ reference, backend, check }: Job): Promise<void> {
  const table = discreteTable(tableOptions(reference.config));
  const feed = new Feed();
  const given = (name: string) => feed.tensor(name, reference.shape(name), reference.f32(name));
  const [x0, eps] = [given("in.x0"), given("in.noise")];
  const mixing = [...reference.i32("in.t")].map((t) => mixingAt(table, t));
  const perSample = (of: (each: Mixing) => number): Tensor =>
    feed.tensor(`mixing ${of}`, [mixing.length, ...x0.shape.slice(1).map(() => 1)], mixing.map(of));
  const [signal, noise] = [perSample((each) => each.signal), perSample((each) => each.noise)];
  const noisy = add(mul(signal, x0), mul(noise, eps));
  const read = (prediction: Tensor, to: "sample" | "velocity") =>
    convertPrediction(prediction, noisy, { from: "epsilon", to, signal, noise });
  const outputs = {
    noisy,
    velocity: read(eps, "velocity"),
    x0_from_eps: read(given("in.eps_pred"), "sample"),
  };
  const results = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(results)) if (reference.has(`out.${name}`)) check(values, `out.${name}`);
}
