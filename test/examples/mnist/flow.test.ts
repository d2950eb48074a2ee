import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { mergeConfig, Run, resolveConfig } from "../../../core/train/mod.ts";
import { flow } from "../../../examples/mnist/flow.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { stageOf } from "../../core/train/support.ts";
import { dataFolder } from "../../helpers/datasets.ts";
import { idxBytes } from "../../helpers/idx.ts";

const test = suite("examples/mnist/flow");

const images = (count: number) =>
  idxBytes(
    [count, 28, 28],
    Uint8Array.from({ length: count * 784 }, (_, i) => (i * i) & 255),
  );
const labels = (count: number) =>
  idxBytes(
    [count],
    Uint8Array.from({ length: count }, (_, i) => i % 10),
  );
const data = dataFolder({
  "train-images-idx3-ubyte": images(10),
  "train-labels-idx1-ubyte": labels(10),
  "t10k-images-idx3-ubyte": images(2),
  "t10k-labels-idx1-ubyte": labels(2),
});

test("a narrow one: the teacher learns every layer from its start at 0, a four-step generator and a critic go on", async () => {
  const config = mergeConfig(flow, {
    network: { width: 16, depth: 2, heads: 2, mlpRatio: 1 },
    generator: { timesteps: [998, 749, 499, 249] },
    optimizers: { teacher: { warmup: 0 }, generator: { warmup: 0 }, critic: { warmup: 0 } },
    metrics: { "classifier-frechet": false },
    method: { teacher: { steps: 4, batch: 4 } },
    train: { steps: 5, batch: 2 },
  });
  const backend = await WasmBackend.open();
  try {
    const run = await Run.create({
      resolved: resolveConfig(config, new Registry().register(allPlugins)),
      backend,
      data,
    });
    const { trainer } = run;
    const stage = (name: string) => stageOf(trainer, name);
    const weightsOf = (role: string) => trainer.players[role].read("weights");
    /** Runs a stage, and holds every parameter of the roles to have moved. */
    const moves = async (name: string, roles: readonly string[]) => {
      const before = await Promise.all(roles.map(weightsOf));
      await trainer.train(stage(name));
      for (const [i, role] of roles.entries())
        for (const [parameter, { data: values }] of Object.entries(await weightsOf(role))) {
          assert.ok(values.every(Number.isFinite), `${role} ${parameter}`);
          if (!parameter.endsWith("pos_embed"))
            assert.not.equal(values, before[i][parameter].data, `${role} ${parameter}`);
        }
    };
    await trainer.begin(stage("teacher"));
    await moves("teacher", ["teacher"]);
    await trainer.begin(stage("distillation"));
    await moves("distillation", ["generator", "critic"]);
    await run.dispose();
  } finally {
    await backend.close();
  }
});

test.run();
