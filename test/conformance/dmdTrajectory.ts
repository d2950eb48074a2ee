/** A run of the official DMD2 trainer on the product's own: its starting weights, its draws, its alternation. */
import { Container } from "../../core/di/mod.ts";
import { program } from "../../core/graph/mod.ts";
import type { Backend, Condition, Dataset, GeneratorNetwork, HostArray, Turn } from "../../core/interfaces/mod.ts";
import { input } from "../../core/ops/mod.ts";
import { adamScalars } from "../../core/optim/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { Control, EventBus, type GivenDraws, type Player, provideShape, Trainer } from "../../core/train/mod.ts";
import type { NamedTensors } from "../../core/train/update/player.ts";
import { dmd2Method } from "../../plugins/methods/dmd2.ts";
import { adamw } from "../../plugins/optimizers/adamw.ts";
import { heun } from "../../plugins/samplers/heun.ts";
import { recipeOf, weightNames } from "./dmdRecipe.ts";
import { GivenNoise } from "./feed.ts";
import type { GoldenCase } from "./goldenCase.ts";
import { type Job, Unsupported } from "./kind.ts";
import { ignore, type Settings } from "./settings.ts";

type Weights = Readonly<Record<"generator" | "critic", NamedTensors>>;

/** What one step did. */
export interface StepRecord {
  /** Of both roles, by the plugin's name. */
  readonly losses: Record<string, number>;
  /** Gradient norms before clipping, of the roles that moved. */
  readonly norm: Partial<Record<"generator" | "critic", number>>;
  /** Learning rates. */
  readonly rate: Readonly<Record<"generator" | "critic", number>>;
  /** What the generator made of this step's noise, before its update. */
  image: Float32Array;
}

/** A whole run. */
export interface Trajectory {
  /** Its settings, which say what of them was read. */
  readonly config: Settings;
  readonly start: Weights & { readonly teacher: NamedTensors };
  readonly steps: readonly StepRecord[];
  /** Weights after each cycle. */
  readonly cycles: readonly Weights[];
}

const made = new WeakMap<Backend, Map<string, Promise<Trajectory>>>();

/** The run called `name`, such as `dmd_traj`; computed once a backend, since several files hold parts of it. */
export function trajectoryOf(name: string, set: Job["set"], backend: Backend): Promise<Trajectory> {
  const own = made.get(backend) ?? new Map<string, Promise<Trajectory>>();
  made.set(backend, own);
  const key = `${set.folder} ${name}`;
  if (!own.has(key)) own.set(key, runTrajectory(name, set, backend));
  return own.get(key)!;
}

async function runTrajectory(name: string, set: Job["set"], backend: Backend): Promise<Trajectory> {
  const [inputs, init] = [set.case(`${name}_inputs`).watched(), set.case(`${name}_init`)];
  const { config } = inputs;
  const { steps, dfake_gen_update_ratio: ratio, batch_size: batch } = config;
  if (!`${config.scheduler}`.startsWith("constant_with_warmup"))
    throw new Unsupported(`no scheduler ${config.scheduler}`);
  const { shape, plugins } = recipeOf(config);
  const container = new Container();
  const optimizers = (["generator", "critic"] as const).map((role) => optimizerOf(config, role));
  const method = dmd2Method({ ttur: { critic: ratio }, teacher: { steps: 0, batch } });
  for (const plugin of [...plugins, ...optimizers, heun(), method]) plugin.install(container);
  provideShape(container, shape, "the case", { steps, batch, started: ["teacher"] });
  const dataset: Dataset = {
    name,
    shape,
    size: 0,
    batch: () => {
      throw new Error("the draws hold every real batch");
    },
  };
  const bus = new EventBus();
  const draws = new SavedDraws(inputs);
  const trainer = new Trainer(container, backend, dataset, bus, { seed: 0 }, { draws });
  try {
    const { teacher, generator, critic } = trainer.players;
    const [teaching, distillation] = trainer.method.stages;
    trainer.startFrom({ teacher: stored(init, "w.teacher.") });
    await trainer.begin(teaching);
    await trainer.begin(distillation);
    if (config.gan_classifier) {
      const inherited = await critic.read("weights");
      critic.load({ ...inherited, ...stored(init, "w.cls_pred_branch.", "cls_pred_branch.") });
    }
    const weights = async (): Promise<Weights> => ({
      generator: await generator.read("weights"),
      critic: await critic.read("weights"),
    });
    const start = { ...(await weights()), teacher: await teacher.read("weights") };
    const records: StepRecord[] = [];
    const reading: Promise<void>[] = [];
    bus.on("role/updated", ({ role, step, losses }) => {
      for (const [each, scalar] of Object.entries(losses))
        reading.push(
          scalar.read().then((value) => {
            if (each === "gradient-norm") records[step].norm[role as keyof Weights] = value;
            else records[step].losses[each] = value;
          }),
        );
    });
    const generate = await imageProgram(trainer, backend, draws, config.label_dim);
    const cycles: Weights[] = [];
    for (let step = 0; step < steps; step++) {
      const rate = (role: "generator" | "critic") => rateOf(trainer.players[role], { step, steps });
      records.push({
        losses: {},
        norm: {},
        rate: { generator: rate("generator"), critic: rate("critic") },
        image: await generate(step),
      });
      const control = new Control([{ step: step + 1, command: { type: "stop" } }]);
      await trainer.train(distillation, { start: step, control });
      if ((step + 1) % ratio === 0) cycles.push(await weights());
    }
    await Promise.all(reading);
    return { config, start, steps: records, cycles };
  } finally {
    trainer.dispose();
  }
}

/** Weights by their names without `prefix`, under `under`. */
const stored = (reference: GoldenCase, prefix: string, under = ""): NamedTensors =>
  Object.fromEntries(
    weightNames(reference, prefix).map((name) => [
      `${under}${name}`,
      { shape: reference.shape(prefix + name), data: reference.f32(prefix + name) },
    ]),
  );

/** `AdamW(betas=(0.9,0.999), eps=1e-8, weight_decay=0.01)`, every argument of which has to be one of these. */
function optimizerOf(config: Settings, role: "generator" | "critic") {
  const [, kind, text] = /^(\w+)\((.*)\)$/.exec(config.optimizer) ?? [];
  if (kind !== "AdamW") throw new Unsupported(`no trainer with ${config.optimizer}`);
  const pattern = /^\s*(?:betas=\(([^,]+),([^)]+)\)|eps=([^,]+)|weight_decay=([^,]+))\s*(?:,|$)/;
  let [beta1, beta2, eps, weightDecay] = ["0.9", "0.999", "1e-8", "0.01"];
  for (let rest = text; rest; ) {
    const found = pattern.exec(rest);
    if (!found) throw new Unsupported(`no trainer with ${config.optimizer}`);
    beta1 = found[1] ?? beta1;
    beta2 = found[2] ?? beta2;
    eps = found[3] ?? eps;
    weightDecay = found[4] ?? weightDecay;
    rest = rest.slice(found[0].length);
  }
  ignore(config, "generator_lr", "guidance_lr");
  return adamw({
    role,
    lr: role === "generator" ? config.generator_lr : config.guidance_lr,
    beta1: Number(beta1),
    beta2: Number(beta2),
    eps: Number(eps),
    weightDecay: Number(weightDecay),
    warmup: config.warmup_step,
    clip: config.max_grad_norm,
  });
}

/** The learning rate that the optimiser would use at a step, from the step size it gives. */
function rateOf(player: Player<unknown>, time: { step: number; steps: number }): number {
  const { optimizer, updates } = player;
  const { stepSize } = optimizer!.scalars({ ...time, update: updates });
  return stepSize / adamScalars(updates, 1).stepSize;
}

/** Noise and class labels of a step's images. */
const IMAGE_DRAWS = { noise: "scaled_noise_unit", label: "fake_class" } as const;

/** The draws of each turn in the order of its losses: each a noise and its noise levels. */
const LOSS_DRAWS = {
  generator: [
    ["dm_noise", "dm_timesteps"],
    ["gcls_noise", "gcls_timesteps"],
  ],
  critic: [
    ["fake_noise", "fake_timesteps"],
    ["cls_real_noise", "cls_real_timesteps"],
    ["cls_fake_noise", "cls_fake_timesteps"],
  ],
} as const;

const stepName = (step: number): string => `s${String(step).padStart(2, "0")}`;

/** What the official run drew, as inputs of the programs. */
class SavedDraws implements GivenDraws {
  readonly #reference: GoldenCase;
  constructor(reference: GoldenCase) {
    this.#reference = reference;
  }
  /** Noise as a tensor, indices as a list of them. */
  tensor(name: string): Tensor {
    const shape = this.#reference.shape(`${stepName(0)}.rand.${name}`);
    return isIndex(name) ? input(name, [shape[0]], "i32") : input(name, shape);
  }
  #has(name: string): boolean {
    return this.#reference.has(`${stepName(0)}.rand.${name}`);
  }
  source({ role, images }: Turn): GivenNoise {
    const own = LOSS_DRAWS[role as keyof Weights].filter(([noise]) => this.#has(noise));
    const made = images !== "kept";
    const labelled = made && this.#reference.config.label_dim > 0;
    return new GivenNoise(
      [...(made ? [IMAGE_DRAWS.noise] : []), ...own.map(([noise]) => noise)].map((name) => this.tensor(name)),
      [...(labelled ? [IMAGE_DRAWS.label] : []), ...own.map(([, levels]) => levels)].map((name) => this.tensor(name)),
    );
  }
  inputs(_turn: Turn, step: number): Record<string, HostArray> {
    const prefix = `${stepName(step)}.rand.`;
    const values: Record<string, HostArray> = {};
    for (const full of this.#reference.names(prefix)) {
      const name = full.slice(prefix.length);
      values[name] = isIndex(name) ? this.#reference.i32(full) : this.#reference.f32(full);
    }
    const real = `${stepName(step)}.in.real_images`;
    if (!this.#reference.has(real)) return values;
    // The files hold [0, 1], the trainer shows its networks [-1, 1].
    values["real.x"] = this.#reference.f32(real).map((value) => value * 2 - 1);
    values["real.label"] = this.#reference.i32(`${stepName(step)}.in.real_class`);
    return values;
  }
}

const isIndex = (name: string): boolean => /timesteps$|class$/.test(name);

/** Computes the images of a step from its noise with the generator's present weights. */
async function imageProgram(
  { players, memory }: Trainer,
  backend: Backend,
  draws: SavedDraws,
  classes: number,
): Promise<(step: number) => Promise<Float32Array>> {
  const condition: Condition = classes ? { label: draws.tensor(IMAGE_DRAWS.label) } : {};
  const noise = draws.tensor(IMAGE_DRAWS.noise);
  const network = players.generator.bind("weights").network as GeneratorNetwork;
  const x = network.generate(noise.shape[0], condition, new GivenNoise([noise]));
  const run = await backend.compile(program({ name: "images", outputs: { x } }), memory);
  return async (step) => {
    await run.run(draws.inputs({ role: "generator" }, step));
    return (await run.read("x")) as Float32Array;
  };
}
