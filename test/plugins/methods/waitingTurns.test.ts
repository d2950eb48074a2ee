import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { failure, type OnestepError } from "../../../core/errors.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { composeRun, mergeConfig, planRun, resolveConfig } from "../../../core/train/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { diffInstruct } from "../../../plugins/methods/diffInstruct.ts";
import { dmd2 } from "../../../plugins/methods/dmd2.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { createdRun } from "./support.ts";

const test = suite("plugins/methods (turns that wait)");

const over = (waits: object, more: object = {}) => ({
  teacher: { use: "gaussian-mixture" },
  losses: { "edm-denoising": false },
  averages: { teacher: false },
  optimizers: { teacher: false, critic: { lr: 1e-2, warmup: 0 }, generator: { lr: 5e-3, warmup: 0 } },
  method: { ttur: { critic: 1 }, waits, ...more },
  train: { steps: 24, batch: 16, evaluateCount: 4 },
});

/** Who moved in which step, and the weights at the end; stopped and resumed after some steps where `stop` says so. */
async function played(waits: object, stop?: number) {
  const files = memoryFiles();
  const turns: string[] = [];
  const part = async (existing?: "resume") => {
    const run = await createdRun(dmd2, over(waits), { files, path: "out", existing });
    run.bus.on("role/updated", ({ role, step }) => void turns.push(`${step} ${role}`));
    run.bus.on("step/end", ({ step }) => {
      if (!existing && step === stop) run.stop();
    });
    await run.start();
    const weights = await run.trainer.players.generator.read("served");
    await run.dispose();
    return weights;
  };
  const weights = await part();
  return { turns, weights: stop === undefined ? weights : await part("resume") };
}

test("the critic moves in every step, the generator where the critic follows; the same again, and when it is resumed", async () => {
  const waits = { lag: 0.02, most: 4 };
  const whole = await played(waits);
  const generator = whole.turns.filter((each) => each.endsWith("generator")).length;
  assert.is(whole.turns.filter((each) => each.endsWith("critic")).length, 24);
  assert.ok(generator >= 5 && generator < 24, `${generator} updates of the generator`);
  for (const stop of [6, 13]) assert.equal(await played(waits, stop), whole);
  const eager = await played({ lag: 1e6, most: 4 });
  assert.is(
    eager.turns.filter((each) => each.endsWith("generator")).length,
    23,
    "all but the first, before any critic",
  );
});

test("a run whose data fail in a turn that waited goes on with that turn", async () => {
  const waits = { lag: 0.02, most: 4 };
  const config = over(waits);
  // Reads the data in the generator's turn.
  const judged = { ...config, losses: { ...config.losses, diversity: { weight: 0.1 } } };
  const run = async (existing?: "resume", last?: number, files = memoryFiles()) => {
    const made = await createdRun(dmd2, judged, { files, path: "out", existing });
    const taken: number[] = [];
    let broken = false;
    made.bus.on("role/updated", ({ role, step }) => {
      if (role !== "generator") return;
      taken.push(step);
      // The critic of this step has its batch by now.
      broken = step === last;
    });
    const { dataset } = made;
    const batch = dataset.batch.bind(dataset);
    dataset.batch = async (...given) => {
      if (broken) throw failure("E_DATA", "Cannot read 7.png: it ends too soon");
      return batch(...given);
    };
    await made.start().catch((error) => assert.is(error.code, last === undefined ? undefined : "E_DATA"));
    const weights = await made.trainer.players.generator.read("served");
    await made.dispose();
    return { taken, weights, files };
  };
  const whole = await run();
  const [, last, failed] = whole.taken;
  assert.is(failed, last + 1);
  const first = await run(undefined, last);
  assert.equal(first.taken, whole.taken.slice(0, 2));
  const second = await run("resume", undefined, first.files);
  assert.equal(second.taken, whole.taken.slice(2));
  assert.equal(second.weights, whole.weights);
});

const refusal = (recipe: typeof dmd2, config: object): Promise<OnestepError> =>
  createdRun(recipe, config).then(
    () => assert.unreachable() as never,
    (error) => error,
  );

test("a plan counts a turn that waits as if it waited as little as it may", async () => {
  const resolved = resolveConfig(
    mergeConfig(
      { ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp", width: 4, depth: 1 } },
      over({ lag: 0.1 }, { ttur: { critic: 3 } }),
    ),
    new Registry().register(allPlugins),
  );
  const backend = new ReferenceBackend();
  const container = await composeRun(resolved, backend, {});
  const { stages } = await planRun(container, resolved.settings, backend);
  const often = stages.flatMap(({ updates }) => updates.map(({ program, perStep }) => [program.name, perStep]));
  assert.equal(often, [
    ["generator update", 1 / 3],
    ["critic update", 1],
  ]);
  await container.dispose();
});

test("bounds and losses that do not fit are refused at the start", async () => {
  const low = await refusal(dmd2, over({ lag: 0.1, most: 2 }, { ttur: { critic: 5 } }));
  assert.match(
    low.message,
    /^Cannot configure turns: method.waits.lag is 0.1, and most is 2, should be at least critic, 5/,
  );
  const two = await refusal(dmd2, over({ lag: 0.1 }, { ttur: { critic: 1, generator: 2 } }));
  assert.match(two.message, /the generator has 2 updates, should have one/);
  const none = over({ lag: 0.1 });
  const unscored = await refusal(dmd2, { ...none, losses: { ...none.losses, "fake-score": false } });
  assert.match(unscored.message, /no loss tells how far the critic is/);
  await (await createdRun(diffInstruct, { method: { waits: { lag: 0.1 } } })).dispose();
});

test.run();
