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
import { mergeConfig, Run, type RunRequest, resolveConfig, type TrainEvents } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { registry, statesOf, tiny } from "../support.ts";

const test = suite("core/train/non-finite updates");

/** The place of `poison` among the losses of `tiny`, which decides its stream. */
const PLACE = 5;

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
      ...{ name: "poison", role, weight },
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
  readonly steps: number;
}

/** A tiny run with a poisonous loss, to its end. */
async function run(plugin: AnyPlugin, over: object = {}, request: Partial<RunRequest> = {}): Promise<Outcome> {
  const base = mergeConfig(tiny, { losses: { poison: {} }, train: { steps: 8, batch: 4 } });
  const resolved = resolveConfig(mergeConfig(base, over), registry().register([plugin]));
  const backend = new ReferenceBackend();
  const run = await Run.create({ resolved, backend, ...request });
  const leftOut: Outcome["leftOut"] = [];
  run.bus.on("role/left-out", (event) => void leftOut.push(event));
  let steps = 0;
  run.bus.on("run/end", (event) => {
    steps = event.steps;
  });
  const error = await run.start().then(
    () => undefined,
    (fault) => fault as OnestepError,
  );
  const states = await statesOf(run);
  await run.dispose();
  await backend.close();
  return { error, states, leftOut, steps };
}

const allFinite = (states: Record<string, number[]>) =>
  Object.values(states).every((values) => values.every(Number.isFinite));

for (const [kind, pull, words] of [
  ["NaN", nan, /^log \[(\d), 1\] in loss "poison", \1 of \1 elements$/],
  ["a gradient that is infinite", steep, /^the gradient of mul .* in loss "poison"/],
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

test.run();
