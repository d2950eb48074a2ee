import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import type { OnestepError } from "../../../../core/errors.ts";
import { LOSSES, type Loss, type LossContext } from "../../../../core/interfaces/mod.ts";
import { add, log, mean, mul, square, stopGradient, sub, sum } from "../../../../core/ops/mod.ts";
import { type AnyPlugin, definePlugin, number } from "../../../../core/plugin/mod.ts";
import { hostRandom } from "../../../../core/random/hostRandom.ts";
import type { Tensor } from "../../../../core/tensor/mod.ts";
import { listCheckpoints } from "../../../../core/train/files/checkpoint.ts";
import {
  type Command,
  mergeConfig,
  Run,
  type RunRequest,
  resolveConfig,
  type TrainEvents,
} from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { registry, statesOf, tiny } from "../support.ts";

const test = suite("core/train/non-finite updates");

/** As few losses as tracing is quick with. */
const base = mergeConfig(tiny, {
  sampler: { steps: 2 },
  losses: {
    "distribution-matching": false,
    "gan-generator": false,
    "gan-discriminator": false,
    shrink: { weight: 0.1 },
    poison: {},
  },
  train: { steps: 5, batch: 4, evaluateCount: 4 },
});
/** The place of `poison` among the losses, which decides its stream. */
const PLACE = 3;

/**
 * A loss of a role that is fed -1 at some steps of every stage, else 1, and makes of it what `pull` says: NaN, or a gradient that
 * is infinite while the loss is not.
 */
const poison = (role: string, steps: readonly number[], pull: (fuel: Tensor, x: Tensor) => Tensor): AnyPlugin => {
  const marks = steps.map((step) => hostRandom(0, step, 16 + PLACE)());
  return definePlugin({
    name: "poison",
    kind: "loss",
    token: LOSSES,
    about: "A loss of a test",
    options: { weight: number({ default: 1, min: 0, about: "factor" }) },
    create: ({ weight }): Loss => ({
      name: "poison",
      role,
      weight,
      own: {
        tensors: { fuel: { shape: [1], dtype: "f32" } },
        batch: (count, random) => {
          const mark = random();
          return { fuel: new Float32Array(count).fill(marks.includes(mark) ? -1 : 1) };
        },
      },
      compute: (context: LossContext) => {
        const { fuel } = context.own!;
        const images = role === "generator" ? context.generated : context.real;
        const sigma = add(mul(context.noise.uniform([fuel.shape[0]]), 0), 1);
        const player = context.role(role) as { denoise?: LossContext["teacher"]["denoise"] };
        const x = player.denoise ? player.denoise(images.x, sigma, images.condition) : images.x;
        return add(pull(fuel, x), mul(mean(square(x)), 0.01));
      },
    }),
  });
};
/** NaN forwards and backwards. */
const nan = (fuel: Tensor) => mean(log(fuel));
/** s = 1e20 at a bad step: the loss is 0, its gradient s². */
const steep = (fuel: Tensor, x: Tensor) => {
  const s = add(mul(sub(1, fuel), 0.5e20), 1);
  return mul(sum(mul(mul(sub(x, stopGradient(x)), s), s)), 1);
};

interface Outcome {
  readonly error?: OnestepError;
  readonly states: Record<string, number[]>;
  readonly leftOut: TrainEvents["role/left-out"][];
  readonly backs: TrainEvents["run/rolled-back"][];
}

/** A tiny run with a poisonous loss, to its end. */
async function run(
  plugin: AnyPlugin,
  over: object = {},
  { command, ...request }: Partial<RunRequest> & { readonly command?: Command } = {},
): Promise<Outcome> {
  const resolved = resolveConfig(mergeConfig(base, over), registry().register([plugin]));
  const backend = new ReferenceBackend();
  const run = await Run.create({ resolved, backend, ...request });
  const leftOut: Outcome["leftOut"] = [];
  run.bus.on("role/left-out", (event) => void leftOut.push(event));
  const backs: Outcome["backs"] = [];
  run.bus.on("run/rolled-back", (event) => void backs.push(event));
  if (command) run.send(command);
  const error = await run.start().then(
    () => undefined,
    (fault) => fault as OnestepError,
  );
  const all = Object.entries(await statesOf(run));
  // What a batch is gathered in means nothing between two updates.
  const states = Object.fromEntries(all.filter(([name]) => !/\.(gradient|readings)\b/.test(name)));
  await run.dispose();
  await backend.close();
  return { error, states, leftOut, backs };
}

const allFinite = (states: Record<string, number[]>) =>
  Object.values(states).every((values) => values.every(Number.isFinite));

for (const [kind, pull, words] of [
  ["NaN", nan, /^log \[(\d), 1\] in loss "poison", \1 of \1 elements$/],
  [
    "a gradient that is infinite",
    steep,
    /^mul .* in the derivative of (mul|sub|sum) .* in loss "poison", \d+ of \d+ elements$/,
  ],
] as const)
  for (const [role, step] of [
    ["generator", 3],
    ["critic", 4],
    ["teacher", 2],
  ] as const)
    test(`${kind} at step ${step} of the ${role}: its update is left out, and the state before is kept`, async () => {
      const files = memoryFiles();
      const output = { files, path: "out" };
      const { error, states, leftOut } = await run(poison(role, [step], pull), {}, { output });
      assert.is(error?.code, "E_DIVERGED");
      assert.is(leftOut.length, 1);
      const [told] = leftOut;
      assert.equal([told.role, told.step, told.gradient, told.policy], [role, step, pull === steep, "stop"]);
      assert.equal(told.losses, pull === nan ? ["poison"] : []);
      assert.match(told.origin ?? "nothing", words);
      assert.ok(error!.message.includes(told.origin!), error!.message);
      assert.ok(allFinite(states));
      const [newest] = await listCheckpoints(files, "out/checkpoint");
      assert.ok(error!.fix.includes(newest), error!.fix);
      const turn = role === "critic" && step % 3 === 0 ? "+1" : "";
      assert.ok(newest.endsWith(`-${step}${turn}.safetensors`), newest);
    });

/** Steps at which an update was left out. */
const stepsOf = ({ leftOut }: Outcome) => leftOut.map(({ step }) => step);
const skip = { train: { nonFinite: "skip" } };

test("skip: the weights are those of a run in which only that update was not made, also of a gathered batch", async () => {
  for (const accumulate of [1, 2]) {
    const over = mergeConfig(skip, { train: { accumulate, steps: 4 } });
    const whole = await run(poison("generator", [3], nan), over);
    assert.is(whole.error, undefined);
    assert.equal(stepsOf(whole), [3]);
    assert.ok(allFinite(whole.states));
    assert.match(whole.leftOut[0].origin!, /^log /);
    // The generator's last update is the one of step 3: without it, its weights are those of after step 0.
    const short = await run(poison("generator", [], nan), mergeConfig(over, { train: { steps: 1 } }));
    assert.equal(whole.states["generator.weights.0"], short.states["generator.weights.0"]);
  }
});

test("skip: a role that never comes through ends the run after ten updates, and says so", async () => {
  const all = Array.from({ length: 60 }, (_, i) => i);
  const over = mergeConfig(skip, { train: { steps: 60 }, method: { teacher: { steps: 0 } } });
  const files = memoryFiles();
  const { error, leftOut, states } = await run(poison("critic", all, steep), over, { output: { files, path: "out" } });
  assert.is(error?.code, "E_DIVERGED");
  assert.match(error!.message, /critic: 10 updates one after the other were left out: the gradient norm is/);
  assert.equal(
    leftOut.map(({ inRow }) => inRow),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.ok(allFinite(states));
  assert.ok((await listCheckpoints(files, "out/checkpoint"))[0].endsWith("2-distillation-10.safetensors"));
});

test("a run that was stopped within a step ends with skip as one that was not", async () => {
  for (const [role, kept] of [
    ["critic", {}],
    ["critic", { accumulate: 2 }],
    ["generator", {}],
  ] as const) {
    const plugin = () => poison(role, [3], nan);
    const over = { train: kept };
    const whole = await run(plugin(), mergeConfig(over, skip));
    const files = memoryFiles();
    const output = { files, path: "out" };
    assert.is((await run(plugin(), over, { output })).error?.code, "E_DIVERGED");
    const resumed = await run(plugin(), mergeConfig(over, skip), { output: { ...output, existing: "resume" } });
    assert.is(resumed.error, undefined);
    assert.equal(stepsOf(resumed), [3]);
    assert.equal(resumed.states, whole.states);
  }
});

test("a stopped run that goes on as before meets the same NaN; with a weight of 0 it does not count", async () => {
  const output = { files: memoryFiles(), path: "out" };
  const plugin = () => poison("generator", [3], nan);
  assert.is((await run(plugin(), {}, { output })).error?.code, "E_DIVERGED");
  const again = await run(plugin(), {}, { output: { ...output, existing: "resume" } });
  assert.is(again.error?.code, "E_DIVERGED");
  assert.equal(stepsOf(again), [3]);
  assert.is((await run(plugin(), {}, { command: { type: "set-weight", loss: "poison", weight: 0 } })).error, undefined);
});

test("rollback: back to the last checkpoint with half the rates, three times at most", async () => {
  const output = { files: memoryFiles(), path: "out" };
  const over = { train: { nonFinite: "rollback", checkpointEvery: 2 } };
  const { error, leftOut, backs } = await run(poison("generator", [3], nan), over, { output });
  assert.is(error?.code, "E_DIVERGED");
  assert.match(
    error!.message,
    /; to go back 3 times, each with half the learning rates, has not helped: each time it was loss poison at step 3 of stage distillation$/,
  );
  assert.match(
    error!.fix,
    /^look at what goes in at step 3, or leave it out with --set train.nonFinite=skip, and go on/,
  );
  assert.equal(
    leftOut.map(({ step }) => step),
    [3, 3, 3, 3],
  );
  assert.equal(
    backs.map(({ stage, step, rate }) => [stage, step, rate]),
    [0.5, 0.25, 0.125].map((rate) => ["distillation", 2, rate]),
  );
});

test("report.json counts updates that were left out, also of a run that was resumed", async () => {
  const files = memoryFiles();
  const output = { files, path: "out" };
  const plugin = () => poison("critic", [1, 4], nan);
  const report = async () => {
    const { leftOut, rollbacks } = JSON.parse(new TextDecoder().decode(await files.read("out/report.json")));
    return { leftOut, rollbacks };
  };
  await run(plugin(), skip, { output });
  assert.equal(await report(), { leftOut: { critic: 2 }, rollbacks: 0 });
  const again = { ...output, existing: "replace" } as const;
  assert.is((await run(plugin(), {}, { output: again })).error?.code, "E_DIVERGED");
  const resumed = { ...output, existing: "resume" } as const;
  await run(plugin(), skip, { output: resumed });
  assert.equal(await report(), { leftOut: { critic: 2 }, rollbacks: 0 });
  // With more steps a complete run goes on; what came before is in its checkpoint.
  await run(plugin(), mergeConfig(skip, { train: { steps: 3 } }), { output: again });
  assert.equal(await report(), { leftOut: { critic: 1 }, rollbacks: 0 });
  await run(plugin(), skip, { output: resumed });
  assert.equal(await report(), { leftOut: { critic: 2 }, rollbacks: 0 });
});

test("rollback: what only a high rate runs into is passed, without a folder too", async () => {
  const over = {
    optimizers: { generator: { lr: 2e37, clip: 0, warmup: 0 } },
    losses: { poison: false, explode: { weight: 1e-38 } },
    train: { nonFinite: "rollback" },
  };
  const { error, backs } = await run(poison("generator", [], nan), over);
  assert.ok(backs.length > 0);
  assert.is(error?.code ?? "E_DIVERGED", "E_DIVERGED");
});

test("a loss weight of 1e38 is found at the first update that it makes infinite", async () => {
  const over = { losses: { poison: false, shrink: { weight: 1e38 } } };
  const { error, states, leftOut } = await run(poison("generator", [], nan), over);
  assert.is(error?.code, "E_DIVERGED");
  assert.is(leftOut.length, 1);
  assert.ok(leftOut[0].gradient);
  assert.ok(allFinite(states));
});

test("with a loss scale that adapts, an overflow is no fault; a loss that is NaN is", async () => {
  const half = { precision: { teacher: "f16", generator: "f16", critic: "f16" } };
  const { leftOut, error } = await run(poison("generator", [3], nan), { train: half });
  assert.is(error?.code, "E_DIVERGED");
  assert.equal(leftOut[0].losses, ["poison"]);
  const overflow = await run(poison("generator", [3], steep), { train: half });
  assert.is(overflow.error, undefined, "left out by the scale, and gone on");
  assert.equal(overflow.states["generator.loss-scale"], [2 ** 15]);
});

test.run();
