import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { renoiseSampler } from "../../../../core/diffusion/mod.ts";
import { OnestepError } from "../../../../core/errors.ts";
import {
  classLabel,
  type DataShape,
  type Denoiser,
  type Role,
  SAMPLER,
  type Sampler,
  type SamplerRule,
} from "../../../../core/interfaces/mod.ts";
import { add, constantArray, mul, reshape, toFloat } from "../../../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../../../core/plugin/mod.ts";
import { sampleNoise } from "../../../../core/random/hostRandom.ts";
import { composeSampling, type Drawn, Player, SampleDrawer } from "../../../../core/train/mod.ts";
import { dpmSolver, heun } from "../../../../plugins/mod.ts";
import { compose } from "../../../conformance/feed.ts";
import { tinyConfig } from "../support.ts";

const test = suite("core/train/sampling");

const data = { sample: [3], condition: classLabel(2), sigmaData: 0.5 };

/** D(x; σ) = x/2, plus 10 for class 1. */
const role: Role<Denoiser> = {
  bind: () => ({
    denoise: (x, _, { label }) => add(mul(x, 0.5), mul(reshape(toFloat(label!), [x.shape[0], 1]), 10)),
  }),
  declare() {},
};

async function drawer(sampler: Sampler, batch: number, shape: DataShape = data) {
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  const player = new Player("generator", role, memory);
  return SampleDrawer.create(backend, memory, player, sampler, shape, batch);
}

const eps = (count: number, draw: number, seed: number) => {
  const out = new Float32Array(count * 3);
  sampleNoise(out, { seed, draw, first: 0, size: 3 });
  return out;
};

test("draw: starts at sigmaMax·ε and applies each step's rule with its numbers", async () => {
  const shift: SamplerRule = (x, { by }) => add(x, by);
  const scale: SamplerRule = (x, { by }, model) => mul(add(x, model.noise()), by);
  const sampler: Sampler = {
    sigmaMax: 2,
    steps: [
      { rule: shift, values: { by: 3 } },
      { rule: shift, values: { by: 4 } },
      { rule: scale, values: { by: 10 } },
    ],
  };
  const { x, shape, nfe } = await (await drawer(sampler, 4)).draw({ count: 2, seed: 1 });
  assert.equal(shape, [2, 3]);
  assert.is(nfe, 0);
  const [start, fresh] = [eps(2, 0, 1), eps(2, 1, 1)];
  for (const [i, value] of x.entries()) assert.ok(Math.abs(value - 10 * (2 * start[i] + 7 + fresh[i])) < 1e-4);
});

test("draw: given noise takes the place of the first, in portions too", async () => {
  const renoised = renoiseSampler([5, 1, 0.2]);
  const { x: expected } = await (await drawer(renoised, 7)).draw({ count: 7, seed: 3 });
  const { x } = await (await drawer(renoised, 3)).draw({ count: 7, seed: 3, noise: eps(7, 0, 3) });
  assert.equal([...x], [...expected], "the seed's own noise, given");
  const { x: other } = await (await drawer(renoised, 3)).draw({ count: 7, seed: 3, noise: eps(7, 0, 4) });
  assert.ok(other.every((value, i) => value !== expected[i]));
  const short = (await drawer(renoised, 3)).draw({ count: 7, seed: 3, noise: eps(6, 0, 3) });
  await short.then(
    () => assert.unreachable(),
    ({ code, message }: OnestepError) => {
      assert.is(code, "E_OPTION");
      assert.is(message, "Cannot draw 7 samples: the noise has 18 numbers, should have 21, 3 for each");
    },
  );
});

test("draw: a sample does not depend on how many are drawn, or how many at a time", async () => {
  const sampler = renoiseSampler([5, 1, 0.2]);
  const { x: whole } = await (await drawer(sampler, 7)).draw({ count: 7, seed: 3 });
  for (const [batch, count] of [
    [1, 7],
    [3, 7],
    [7, 5],
    [100, 2],
  ]) {
    const { x } = await (await drawer(sampler, batch)).draw({ count, seed: 3 });
    assert.equal([...x], [...whole.subarray(0, count * 3)], `${count} in portions of ${batch}`);
  }
  const { x: other } = await (await drawer(sampler, 7)).draw({ count: 7, seed: 4 });
  assert.is(new Set([...whole, ...other]).size, 42, "another seed draws other samples");
});

test("batches: the samples of draw with their conditions, as many at a time as are computed", async () => {
  const image: DataShape = {
    ...data,
    condition: { ...data.condition, image: { shape: [2], dtype: "f32" } },
  };
  const made = await drawer(renoiseSampler([5, 1]), 3, image);
  for (const count of [1, 3, 7]) {
    const condition = {
      label: Int32Array.from({ length: count }, (_, i) => (i + 1) % 2),
      image: Float32Array.from({ length: 2 * count }, (_, i) => i),
    };
    const request = { count, seed: 3, condition };
    const whole = await made.draw(request);
    const batches: Drawn[] = [];
    for await (const batch of made.batches(request)) batches.push(batch);
    assert.equal(
      batches.map(({ shape }) => shape),
      Array.from({ length: Math.ceil(count / 3) }, (_, i) => [Math.min(3, count - 3 * i), 3]),
    );
    for (const batch of batches) {
      assert.is(batch.x.length, 3 * batch.shape[0]);
      assert.is(batch.nfe, whole.nfe);
    }
    const all = (part: (batch: Drawn) => ArrayLike<number>) => batches.flatMap((batch) => Array.from(part(batch)));
    assert.equal(
      all(({ x }) => x),
      [...whole.x],
    );
    assert.equal(
      all((batch) => batch.condition.label),
      [...whole.condition.label],
    );
    assert.equal(
      all((batch) => batch.condition.image),
      [...whole.condition.image],
    );
  }
});

test("batches: each is an array of its own, and a set that is left early disturbs none", async () => {
  const made = await drawer(renoiseSampler([5, 1]), 2);
  const { x: whole } = await made.draw({ count: 4, seed: 3 });
  const kept: Float32Array[] = [];
  for await (const { x } of made.batches({ count: 4, seed: 3 })) kept.push(x);
  assert.equal(
    kept.flatMap((x) => [...x]),
    [...whole],
  );
  for await (const _ of made.batches({ count: 6, seed: 9 })) break;
  assert.equal((await made.draw({ count: 4, seed: 3 })).x, whole);
});

test("batches: refuses what draw refuses, before anything is drawn", async () => {
  const made = await drawer(renoiseSampler([1]), 2);
  const request = { count: 3, seed: 0, condition: { label: Int32Array.of(0, 1, 2) } };
  const error = await made
    .batches(request)
    .next()
    .catch((reason) => reason);
  assert.is(error.message, "Cannot draw 3 samples: one has label 2, classes are 0 to 1");
});

test("draw: a drawer can be used again", async () => {
  const again = await drawer(renoiseSampler([5, 1]), 2);
  const first = await again.draw({ count: 3, seed: 0 });
  await again.draw({ count: 2, seed: 9 });
  assert.equal(await again.draw({ count: 3, seed: 0 }), first);
});

test("draw: classes in turn, or as asked", async () => {
  const classes = await drawer(renoiseSampler([1]), 2);
  const turn = await classes.draw({ count: 3, seed: 0 });
  assert.equal([...turn.condition.label], [0, 1, 0]);
  const condition = { label: Int32Array.of(1, 1, 0) };
  const asked = await classes.draw({ count: 3, seed: 0, condition });
  assert.equal(asked.condition, condition);
  for (const [i, shift] of [10, 0, 0].entries())
    assert.ok(Math.abs(asked.x[3 * i] - turn.x[3 * i] - shift) < 1e-5, `sample ${i}`);
  const plain = await drawer({ sigmaMax: 1, steps: [] }, 2, { ...data, condition: {} });
  assert.equal((await plain.draw({ count: 2, seed: 0 })).condition, {});
});

test("draw: refuses labels that fit neither count nor classes", async () => {
  const classes = await drawer(renoiseSampler([1]), 2);
  const refused = async (...label: number[]) => {
    const request = { count: 2, seed: 0, condition: { label: Int32Array.from(label) } };
    const error = await classes.draw(request).catch((reason) => reason);
    assert.instance(error, OnestepError);
    assert.is(error.code, "E_OPTION");
    return error.message;
  };
  assert.is(await refused(1), "Cannot draw 2 samples: there are 1 of label, expected one for each");
  assert.is(await refused(0, 2), "Cannot draw 2 samples: one has label 2, classes are 0 to 1");
  assert.is(await refused(0, -1), "Cannot draw 2 samples: one has label -1, classes are 0 to 1");
});

test("draw: refuses entries that the model does not know, and lacks none that it does", async () => {
  const classes = await drawer(renoiseSampler([1]), 2);
  const refused = async (made: SampleDrawer, condition: Record<string, Float32Array>) => {
    const error = await made.draw({ count: 2, seed: 0, condition }).catch((reason) => reason);
    assert.is(error.code, "E_OPTION");
    return error.message;
  };
  const image = new Float32Array(2);
  assert.is(await refused(classes, { image }), "Cannot draw 2 samples: the model knows no image, expected label");
  const plain = await drawer({ sigmaMax: 1, steps: [] }, 2, { ...data, condition: {} });
  assert.is(await refused(plain, { image }), "Cannot draw 2 samples: the model knows no image, expected no condition");
  const pictures: DataShape = { ...data, condition: { image: { shape: [2], dtype: "f32" } } };
  const told = await drawer({ sigmaMax: 1, steps: [] }, 2, pictures);
  assert.is(await refused(told, {}), "Cannot draw 2 samples: there is no image, expected one for each");
  assert.is(await refused(told, { image }), "Cannot draw 2 samples: there are 1 of image, expected one for each");
});

test("nfe: Heun takes 2N − 1 denoiser calls, re-noising one a level", async () => {
  for (const steps of [1, 2, 18]) {
    const { plugins } = tinyConfig({ sampler: { steps } });
    const sampler = composeSampling(plugins, new ReferenceBackend(), data).get(SAMPLER);
    assert.is((await drawer(sampler, 1)).nfe, 2 * steps - 1);
  }
  assert.is((await drawer(renoiseSampler([80]), 1)).nfe, 1);
  assert.is((await drawer(renoiseSampler([80, 20, 5, 1]), 1)).nfe, 4);
});

test("nfe: what is counted is what runs", async () => {
  let calls = 0;
  const twice: SamplerRule = (x, { sigma }, model) => model.denoise(model.denoise(x, sigma), sigma);
  const once: SamplerRule = (x, { sigma }, model) => {
    calls++;
    return model.denoise(x, sigma);
  };
  const steps = [twice, once, once].map((rule, i) => ({ rule, values: { sigma: 3 - i } }));
  const counting = await drawer({ sigmaMax: 3, steps }, 1);
  assert.is(counting.nfe, 4);
  await counting.draw({ count: 5, seed: 0 });
  assert.is(calls, 1, "a rule is traced once, however often it runs");
});

test("create: one program per rule, under its name; rules of other samplers have their own", async () => {
  const names: string[] = [];
  const backend = new ReferenceBackend();
  const compile = backend.compile.bind(backend);
  backend.compile = (program, memory) => {
    names.push(program.name);
    return compile(program, memory);
  };
  const compiled = async (plugin: ConfiguredPlugin<Sampler>) => {
    names.length = 0;
    const memory = backend.createMemory();
    const player = new Player("teacher", role, memory);
    const sampler = compose(data, plugin).get(SAMPLER);
    await SampleDrawer.create(backend, memory, player, sampler, data, 1);
    return [...names];
  };
  assert.equal(await compiled(heun({ steps: 18 })), ["teacher heunStep", "teacher eulerStep"]);
  assert.equal(await compiled(heun({ steps: 18, churn: 40, churnMin: 0.05, churnMax: 50 })), [
    "teacher heunStep",
    "teacher heunStep after churn",
    "teacher eulerStep",
  ]);
  assert.equal(await compiled(dpmSolver({ steps: 6, order: 3, eta: 1 })), [
    "teacher dpm-solver of order 1 and noise",
    "teacher dpm-solver of order 2 and noise",
    "teacher dpm-solver of order 3 and noise",
    "teacher dpm-solver of order 1",
  ]);
});

test("draw: Heun on D(x; σ) = m ends at m", async () => {
  const { plugins } = tinyConfig({
    sampler: { use: heun.definition.name, steps: 5, sigmaMax: 10 },
  });
  const sampler = composeSampling(plugins, new ReferenceBackend(), data).get(SAMPLER);
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  const mean = constantArray([1, 2, 3], [1, 3]);
  const constant: Role<Denoiser> = {
    bind: () => ({ denoise: (x) => add(mul(x, 0), mean) }),
    declare() {},
  };
  const player = new Player("teacher", constant, memory);
  const { x } = await (await SampleDrawer.create(backend, memory, player, sampler, data, 4)).draw({
    count: 4,
    seed: 0,
  });
  for (const [i, value] of x.entries()) assert.ok(Math.abs(value - 1 - (i % 3)) < 1e-4);
});

test.run();
