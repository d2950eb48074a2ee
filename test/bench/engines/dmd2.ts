import type { Container } from "../../../core/di/mod.ts";
import { type Program, program } from "../../../core/graph/mod.ts";
import {
  type Backend,
  classesOf,
  classLabel,
  DATASET,
  DATASET_SOURCE,
  type Dataset,
  type Denoiser,
  NETWORK,
  type Network,
} from "../../../core/interfaces/mod.ts";
import { Scope } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { definePlugin, Registry } from "../../../core/plugin/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { Control, composeRun, EventBus, type RunSettings, resolveConfig, Trainer } from "../../../core/train/mod.ts";
import { operationsOfProgram } from "../../../examples/cli/profile/operations.ts";
import { config as preset } from "../../../examples/mnist/methods/dmd2.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { hashUniform } from "../data.ts";
import type { Prepared } from "../serve.ts";

/** Noise in the shape of the digits: the figures need no data files, and no time goes into decoding. */
const noiseDigits = definePlugin({
  name: "noise-digits",
  kind: "dataset",
  token: DATASET_SOURCE,
  about: "Uniform noise in the shape of 16 x 16 digits",
  options: {},
  async create(): Promise<Dataset> {
    const shape = { sample: [1, 16, 16], condition: classLabel(10), sigmaData: 0.5 };
    const batch: Dataset["batch"] = (which) => {
      const count = typeof which === "number" ? which : which.length;
      const label = Int32Array.from({ length: count }, (_, i) => i % classesOf(shape));
      return { x: hashUniform(5, count * sizeOf(shape.sample)), condition: { label } };
    };
    return { name: "noise-digits", shape, size: Number.POSITIVE_INFINITY, batch };
  },
});

/** The trainer of the `mnist` preset, with teacher and students initialised. */
async function openTrainer(backend: Backend) {
  const resolved = resolveConfig(
    {
      ...preset,
      dataset: { use: "noise-digits" },
      metrics: {},
      train: { ...preset.train, steps: 1_000_000 },
    },
    new Registry().register([...allPlugins, noiseDigits]),
  );
  const container: Container = await composeRun(resolved, backend, {});
  const bus = new EventBus();
  const { settings } = resolved;
  const trainer = new Trainer(container, backend, container.get(DATASET), bus, settings);
  const { stages } = trainer.method;
  for (const stage of stages) await trainer.begin(stage);
  return {
    trainer,
    bus,
    settings,
    distillation: stages.at(-1)!,
    network: container.get(NETWORK),
    async release() {
      trainer.dispose();
      await container.dispose();
    },
  };
}

/** One evaluation of the denoiser on the preset's batch: the unit in which an iteration is measured. */
export async function dmd2Forward(backend: Backend): Promise<Prepared> {
  const { trainer, settings, release } = await openTrainer(backend);
  const y = denoised(trainer, settings);
  const executable = await backend.compile(y, trainer.memory);
  const B = settings.batch;
  const inputs = {
    x: hashUniform(1, B * 256),
    sigma: new Float32Array(B).fill(1),
    label: Int32Array.from({ length: B }, (_, i) => i % 10),
  };
  return {
    flops: operationsOfProgram(y),
    async call() {
      await executable.run(inputs);
      await backend.finish();
    },
    async release() {
      executable.dispose();
      await release();
    },
  };
}

/**
 * What an iteration should cost, in forwards, when the encoder is the share e of one: the generator and the critic with their
 * backward passes, the teacher and the critic on the generator's images, and the discriminator's encoder.
 * Generator's turn 8 + 8e, a critic's turn alone 4 + 6e; spec/dmd2.md §6.
 */
const costModel = (e: number, ratio: number): number => (8 + 8 * e + (ratio - 1) * (4 + 6 * e)) / ratio;

function encoded(network: Network, { batch }: RunSettings): Program {
  const scope = new Scope((name, shape) => input(name, shape));
  const condition = { label: input("label", [batch], "i32") };
  const x = input("x", [batch, 1, 16, 16]);
  const y = network.features(scope, x, input("level", [batch]), condition);
  return program({ name: "encode", outputs: { y } });
}

function denoised({ players }: Trainer, { batch }: RunSettings): Program {
  const teacher = players.teacher.bind("weights").network as Denoiser;
  const y = teacher.denoise(input("x", [batch, 1, 16, 16]), input("sigma", [batch]), {
    label: input("label", [batch], "i32"),
  });
  return program({ name: "denoise", outputs: { y } });
}

/** Steps of the training loop itself: a call is one turn of the generator with the critic's turns that belong to it. */
export async function dmd2Iteration(backend: Backend): Promise<Prepared> {
  const compile = backend.compile.bind(backend);
  const flops = new Map<string, number>();
  const { trainer, bus, settings, distillation, network, release } = await openTrainer(backend);
  const ratio = distillation.cycle.length;
  backend.compile = (source, memory) => {
    flops.set(`${source.name} ${flops.size}`, operationsOfProgram(source));
    return compile(source, memory);
  };
  await trainer.prepare(distillation);
  backend.compile = compile;
  const [generator, stored, fresh = 0] = flops.values();
  const perStep = (generator + stored + (ratio - 1) * fresh) / ratio;
  const forward = operationsOfProgram(denoised(trainer, settings));
  const encoder = operationsOfProgram(encoded(network, settings));
  let step = 0;
  return {
    steps: ratio,
    flops: perStep,
    note:
      `an iteration is ${(perStep / forward).toFixed(2)} forwards by operations, ` +
      `${costModel(encoder / forward, ratio).toFixed(2)} in the cost model`,
    async call() {
      const control = new Control();
      const last = step + ratio - 1;
      const off = bus.on("step/end", (event) => {
        if (event.step === last) control.send({ type: "stop" });
      });
      step = await trainer.train(distillation, { start: step, control });
      off();
      await backend.finish();
    },
    release,
  };
}
