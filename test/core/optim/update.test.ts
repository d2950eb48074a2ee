import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import * as optim from "../../../core/optim/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

const test = suite("core/optim");

const SIZE = 1000;
const named = (...names: string[]) => names.map((name) => ops.state(name, [SIZE]));
/** Numbers of a step as views of one small input. */
const numbers = <K extends string>(...names: K[]) => {
  const flat = ops.input("scalars", [names.length]);
  return Object.fromEntries(names.map((name, offset) => [name, ops.view(flat, { offset, shape: [] })])) as Record<
    K,
    Tensor
  >;
};
/** Steps of an update over whole parameter tensors. */
const fullSteps = (updates: [Tensor, Tensor][], outputs: Record<string, Tensor> = {}) =>
  program({ name: "update", updates, outputs }).plan.steps.filter(
    (step) => step.kind !== "elementwise" || step.shape[0] === SIZE,
  );

for (const decoupled of [false, true])
  test(`adam, decoupled ${decoupled}: one elementwise step, in place`, () => {
    const [weights, gradient, moment1, moment2] = named("w", "g", "m", "v");
    const scalars = numbers("stepSize", "rootScale", "decay");
    const next = optim.adam({ weights, gradient, moment1, moment2, scalars }, { weightDecay: 0.01, decoupled });
    const { plan } = program({
      name: "adam",
      updates: [
        [weights, next.weights],
        [moment1, next.moment1],
        [moment2, next.moment2],
      ],
    });
    assert.is(plan.steps.length, 1);
    assert.is(plan.buffers.filter(({ elements }) => elements >= SIZE).length, 4);
  });

test("adam with clipping and a running average: one step over the parameters after the norm", () => {
  const [weights, gradient, moment1, moment2, average] = named("w", "g", "m", "v", "average");
  const scalars = numbers("stepSize", "rootScale", "decay", "beta");
  const { norm, scale } = optim.clip([gradient], 10);
  const next = optim.adam(
    { weights, gradient: ops.mul(gradient, scale), moment1, moment2, scalars },
    { weightDecay: 0.01, decoupled: true },
  );
  const steps = fullSteps(
    [
      [weights, next.weights],
      [moment1, next.moment1],
      [moment2, next.moment2],
      [average, optim.ema(average, next.weights, scalars.beta)],
    ],
    { norm },
  );
  assert.equal(
    steps.map((step) => (step.kind === "kernel" ? step.node.op.name : step.kind)),
    ["elementwise", "sum", "elementwise"], // squares, their sum, everything else
  );
});

test("radam and sgd: one elementwise step", () => {
  const [weights, gradient, moment1, moment2] = named("w", "g", "m", "v");
  const rectified = optim.radam(
    { weights, gradient, moment1, moment2, scalars: numbers("adaptive", "plain") },
    { weightDecay: 0.1 },
  );
  const steps = fullSteps([
    [weights, rectified.weights],
    [moment1, rectified.moment1],
    [moment2, rectified.moment2],
  ]);
  assert.is(steps.length, 1);
  for (const nesterov of [false, true]) {
    const next = optim.sgd(
      { weights, gradient, moment: moment1, scalars: numbers("rate") },
      { momentum: 0.9, nesterov, weightDecay: 0.1 },
    );
    assert.is(
      fullSteps([
        [weights, next.weights],
        [moment1, next.moment],
      ]).length,
      1,
    );
  }
});

test("sgd without momentum is w − α g", async () => {
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  memory.allocate("w", 2);
  memory.allocate("b", 2);
  memory.write("w", Float32Array.of(1, 2));
  const [weights, moment] = [ops.state("w", [2]), ops.state("b", [2])];
  const next = optim.sgd({
    weights,
    moment,
    gradient: ops.input("g", [2]),
    scalars: { rate: ops.input("rate", []) },
  });
  const run = await backend.compile(program({ name: "sgd", updates: [[weights, next.weights]] }), memory);
  await run.run({ g: Float32Array.of(4, -2), rate: Float32Array.of(0.5) });
  assert.equal(Array.from(await memory.read("w")), [-1, 3]);
});

test("clip: the norm is over all gradients together; small ones are left alone", async () => {
  const [a, b] = [ops.input("a", [2]), ops.input("b", [1])];
  const backend = new ReferenceBackend();
  const clipped = async (maxNorm: number) => {
    const run = await backend.compile(
      program({ name: "clip", outputs: { ...optim.clip([a, b], maxNorm) } }),
      backend.createMemory(),
    );
    await run.run({ a: Float32Array.of(2, 4), b: Float32Array.of(4) });
    return [(await run.read("norm"))[0], (await run.read("scale"))[0]];
  };
  assert.equal(await clipped(3), [6, Math.fround(3 / Math.fround(6 + 1e-6))]);
  assert.equal(await clipped(10), [6, 1]);
  assert.equal(await clipped(Infinity), [6, 1]);
});

test("adamScalars: bias corrections of the first and a late update", () => {
  const options = { beta1: 0.9, beta2: 0.99, weightDecay: 0.5 };
  const first = optim.adamScalars(0, 0.1, options);
  assert.ok(Math.abs(first.stepSize - 1) < 1e-12);
  assert.ok(Math.abs(first.rootScale - 10) < 1e-12);
  assert.is(first.decay, 0.05);
  assert.equal(optim.adamScalars(1e6, 0.1, options), { stepSize: 0.1, rootScale: 1, decay: 0.05 });
});

test("radamScalars: plain steps first, adaptive ones from the sixth on", () => {
  const adaptive = Array.from({ length: 8 }, (_, i) => optim.radamScalars(i, 1).adaptive > 0);
  assert.equal(adaptive, [false, false, false, false, false, true, true, true]);
});

test("rate schedules: warm-up begins at 0, cosine and linear end at 0", () => {
  const at = (schedule: optim.RateSchedule, ...steps: number[]) =>
    steps.map((step) => Number(schedule(step).toFixed(6)));
  assert.equal(at(optim.constantRate(), 0, 100), [1, 1]);
  assert.equal(at(optim.constantRate(4), 0, 1, 4, 5), [0, 0.25, 1, 1]);
  assert.equal(at(optim.cosineRate(12, 4), 0, 2, 4, 8, 12, 20), [0, 0.5, 1, 0.5, 0, 0]);
  assert.equal(at(optim.linearRate(12, 4), 0, 2, 4, 6, 12, 20), [0, 0.5, 1, 0.75, 0, 0]);
});

test("powerGamma: the root of its polynomial, for every width", () => {
  for (const std of [0.01, 0.05, 0.1, 0.2, 0.28]) {
    const g = optim.powerGamma(std);
    const s = std ** -2;
    const residual = ((g + 7) * g + (16 - s)) * g + (12 - s);
    assert.ok(g > -1 && Math.abs(residual) < 1e-9 * s * (Math.abs(g) + 1), `${std}: ${g}`);
  }
});

test("averages: the first power-function update copies, k-diffusion's warm-up starts at its minimum", () => {
  assert.is(optim.powerBeta(0, 6.94), 0);
  assert.is(optim.warmUpBeta(0, { power: 2 / 3 }), 0);
  assert.is(optim.warmUpBeta(5, { power: 2 / 3, startAt: 9 }), 0);
  assert.is(optim.warmUpBeta(1e9, { power: 2 / 3, max: 0.9999 }), 0.9999);
  assert.is(optim.halfLifeBeta(0, 64, { emaHalfLife: 1000, rampUp: 0.05 }), 0);
  assert.is(optim.halfLifeBeta(9, 500, { emaHalfLife: 1000 }), 0.5 ** 0.5);
});

test.run();
