import { renoiseSampler } from "../../core/diffusion/mod.ts";
import { type Backend, DATASET, type Denoiser, GENERATOR, METRICS, type SampleSet } from "../../core/interfaces/mod.ts";
import { Registry } from "../../core/plugin/mod.ts";
import {
  Control,
  composeRun,
  EventBus,
  judgeSamples,
  mergeConfig,
  type NamedTensors,
  type Player,
  resolveConfig,
  SampleDrawer,
  Trainer,
} from "../../core/train/mod.ts";
import { allPlugins } from "../../plugins/all.ts";
import { type Arm, base, beginning } from "./arms.ts";
import { deviation, mean } from "./spread.ts";

/** What a trial ends with. */
export interface Outcome {
  /** Sliced Wasserstein distance to the data, the mean of the last looks: lower is better. */
  readonly sw: number;
  /** How much the distance moves from look to look: the standard deviation of the looks. */
  readonly wander: number;
  /** Shares of the samples within two and three standard deviations of a mode of the data. */
  readonly in2: number;
  readonly in3: number;
  /** Smallest share of a mode times the number of modes: 0 where one is lost. */
  readonly lo: number;
  /** The same of the generator's outputs at all its noise levels together, which is what the critic sees. */
  readonly joined: number;
}

/** Looks at the samples over the second half of a run, and how many samples each takes. */
const LOOKS = 8;
const SAMPLES = 4000;

const registry = new Registry().register(allPlugins);

async function open(backend: Backend, over: object) {
  const config = JSON.parse(JSON.stringify(mergeConfig(base, over)));
  const resolved = resolveConfig(config, registry);
  const container = await composeRun(resolved, backend, {});
  const bus = new EventBus();
  const dataset = container.get(DATASET);
  const trainer = new Trainer(container, backend, dataset, bus, resolved.settings);
  return { container, trainer, dataset };
}

/** Weights that generator and critic of an arm start from: a network that has learned the teacher's mixture for a moment. */
export async function learnBeginning(arm: Arm, seed: number, backend: Backend, scale = 1): Promise<NamedTensors> {
  const { steps: whole } = base.method.teacher as { steps: number };
  const steps = Math.ceil(whole * scale);
  const over = mergeConfig(beginning(arm), { method: { teacher: { steps } }, train: { seed } });
  const { container, trainer } = await open(backend, over);
  const [teaching] = trainer.method.stages;
  await trainer.begin(teaching);
  await trainer.train(teaching);
  const weights = await trainer.players.teacher.read("weights");
  trainer.dispose();
  await container.dispose();
  return weights;
}

/** Trains one arm from its beginning, and looks at its samples over the second half. */
export async function trial(
  arm: Arm,
  seed: number,
  weights: NamedTensors,
  backend: Backend,
  scale = 1,
): Promise<Outcome> {
  const { train } = mergeConfig(base, arm.over) as unknown as { train: { steps: number } };
  const steps = Math.max(2 * LOOKS, Math.ceil(train.steps * scale));
  const over = mergeConfig(arm.over, { train: { seed, steps } });
  const { container, trainer, dataset } = await open(backend, over);
  const { stages } = trainer.method;
  for (const stage of stages) await trainer.begin(stage);
  const distillation = stages[stages.length - 1];
  const { generator, critic } = trainer.players;
  generator.load(weights);
  const body = Object.entries(weights).map(([name, tensor]) => [`fake_unet.${name}`, tensor]);
  critic.load({ ...(await critic.read("weights")), ...Object.fromEntries(body) });
  const { sigmas } = container.get(GENERATOR);
  const drawers: SampleDrawer[] = [];
  for (const [last] of sigmas.entries())
    drawers.push(
      await SampleDrawer.create(
        backend,
        trainer.memory,
        generator as Player<Denoiser>,
        renoiseSampler(sigmas.slice(0, last + 1)),
        dataset.shape,
        SAMPLES,
      ),
    );
  const metrics = container.all(METRICS);
  const looks: Readonly<Record<string, number>>[] = [];
  let start = 0;
  for (let look = 1; look <= LOOKS; look++) {
    const end = Math.round(steps / 2 + (look * steps) / (2 * LOOKS));
    const control = new Control([{ step: end, command: { type: "stop" } }]);
    start = await trainer.train(distillation, { start, control });
    const drawn: SampleSet[] = [];
    for (const drawer of drawers) drawn.push(await drawer.draw({ count: SAMPLES, seed: 99 }));
    const { lo: joined } = await judgeSamples(metrics, drawn);
    looks.push({ ...(await judgeSamples(metrics, drawn.slice(-1))), joined });
  }
  for (const drawer of drawers) drawer.dispose();
  trainer.dispose();
  await container.dispose();
  const of = (name: string) => looks.map((look) => look[name]);
  return {
    sw: mean(of("sw")),
    wander: deviation(of("sw")),
    in2: mean(of("in2")),
    in3: mean(of("in3")),
    lo: mean(of("lo")),
    joined: mean(of("joined")),
  };
}
