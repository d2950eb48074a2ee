// Plugins that do not do what their kind promises: no compiler has seen them, and nothing of it may pass in silence.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import type { Resolver } from "../../../../core/di/mod.ts";
import type { OnestepError } from "../../../../core/errors.ts";
import {
  DATASET_SOURCE,
  GENERATOR,
  LOSSES,
  METHOD,
  METRICS,
  NETWORK,
  OPTIMIZERS,
  SAMPLER,
  TEACHER,
} from "../../../../core/interfaces/mod.ts";
import { type Scope, zeros } from "../../../../core/nn/mod.ts";
import { mean } from "../../../../core/ops/mod.ts";
import { type AnyPlugin, definePlugin, type PluginKind, text } from "../../../../core/plugin/mod.ts";
import { mergeConfig, Run, type RunConfig, type RunRequest, resolveConfig } from "../../../../core/train/mod.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { lossPlugin, registry, tiny } from "../support.ts";

const test = suite("core/train wrong plugins");

/** The error of a run of the tiny experiment with a plugin, and what it brings with it. */
async function refused(
  plugins: readonly AnyPlugin[],
  over: unknown,
  request: Partial<RunRequest> = {},
): Promise<OnestepError> {
  const resolved = resolveConfig(mergeConfig(tiny as RunConfig, over), registry().register(plugins));
  const run = Run.create({ resolved, backend: new ReferenceBackend(), ...request });
  return run.then(
    async (made) => {
      await made.dispose();
      throw new Error("nothing was refused");
    },
    (error: OnestepError) => error,
  );
}

/** A loss plugin `own` whose value is what the test says. */
const making = (create: () => unknown): AnyPlugin =>
  definePlugin({ name: "own", kind: "loss", token: LOSSES, about: "of a test", options: {}, create: create as never });
const own = { losses: { own: {} } };
const whole = { name: "own", role: "generator", weight: 1, compute: () => undefined as never };

test("create that makes nothing, or something else than its kind asks for", async () => {
  const wrong: [create: () => unknown, says: string][] = [
    [() => undefined, "its create made nothing, should be an object with name, role, weight, compute"],
    [() => 3, "its create made 3, should be an object with name, role, weight, compute"],
    [() => ({ ...whole, compute: undefined }), "its create made an object without compute, should be a function"],
    [() => ({ ...whole, weight: "1" }), 'its create made an object whose weight is the text "1", should be a number'],
    [
      () => {
        throw new TypeError("no such thing");
      },
      "its create threw TypeError: no such thing",
    ],
  ];
  for (const [create, says] of wrong) {
    const { code, message } = await refused([making(create)], own);
    assert.is(code, "E_PLUGIN");
    assert.is(message, `Cannot use loss "own": ${says}`);
  }
  // Under another name too, and for values that come as a promise.
  const renamed = await refused([making(() => undefined)], { losses: { other: { use: "own" } } });
  assert.match(renamed.message, 'loss "own": its create made nothing');
  const data = definePlugin({
    name: "late",
    kind: "dataset",
    token: DATASET_SOURCE,
    about: "of a test",
    options: {},
    create: async () => ({ name: "late" }) as never,
  });
  const late = await refused([data], { dataset: { use: "late" } });
  assert.is(late.message, 'Cannot use dataset "late": its create made an object without shape, should be an object');
  const network = definePlugin({
    name: "half",
    kind: "network",
    token: NETWORK,
    about: "of a test",
    options: {},
    create: () => ({ apply: (x: unknown) => x }) as never,
  });
  const half = await refused([network], { network: { use: "half" } });
  assert.is(
    half.message,
    'Cannot use network "half": its create made an object without features, should be a function',
  );
});

test("compute that returns no tensor, or throws; a report that is no tensor", async () => {
  const computing = (compute: (context: never) => unknown) =>
    refused([lossPlugin("own", "generator", compute as never)], own);
  const expected = "should be a tensor with one element";
  for (const [value, what] of [
    [undefined, "nothing"],
    [3, "3"],
    [[1], "a list"],
  ] as const) {
    const { code, message } = await computing(() => value);
    assert.is(code, "E_PLUGIN");
    assert.is(message, `Cannot use loss "own": its compute returns ${what}, ${expected}`);
  }
  const cause = new RangeError("too far");
  const thrown = await computing(() => {
    throw cause;
  });
  assert.is(thrown.code, "E_PLUGIN");
  assert.is(thrown.message, 'Cannot use loss "own": its compute threw RangeError: too far');
  assert.is(thrown.cause, cause);
  const reporting = await computing(({ report, generated }: never) => {
    (report as (name: string, value: unknown) => void)("share", 0.5);
    return mean((generated as { x: never }).x);
  });
  assert.is(reporting.message, `Cannot use loss "own": its report of share is 0.5, ${expected}`);
});

test("networks, roles, samplers and optimizers that give something else than tensors when they are traced", async () => {
  const faulty = (kind: PluginKind, token: unknown, create: (container: Resolver) => unknown) =>
    definePlugin({
      name: "faulty",
      kind,
      token: token as typeof LOSSES,
      about: "of a test",
      options: { role: text({ default: "", about: "of an optimizer" }) },
      create: (({ role }: { role: string }, container: Resolver) =>
        Object.assign(create(container) as object, role && { role })) as never,
    });
  const use = (section: string) => ({ [section]: { use: "faulty" } });
  const network = await refused(
    [faulty("network", NETWORK, () => ({ apply: () => undefined, features: () => 1 }))],
    use("network"),
  );
  assert.is(network.code, "E_PLUGIN");
  assert.is(network.message, 'Cannot use network "faulty": its apply returns nothing, should be a tensor');
  const generator = (network: unknown) =>
    refused(
      [
        faulty("generator", GENERATOR, () => ({
          sigmas: [1],
          bind: () => network,
          declare: (scope: Scope) => scope.parameter("out.bias", [2], zeros),
        })),
      ],
      use("generator"),
    );
  assert.match(
    (await generator(undefined)).message,
    "the role generator: its bind returns nothing, should be an object",
  );
  const lazy = await generator({ denoise: () => null, generate: () => 3 });
  assert.is(lazy.message, "Cannot use the role generator: its generate returns 3, should be a tensor");
  const sampler = await refused(
    [faulty("sampler", SAMPLER, () => ({ sigmaMax: 5, steps: [{ rule: function half() {}, values: {} }] }))],
    use("sampler"),
  );
  assert.is(
    sampler.message,
    'Cannot use the sampler: its rule "half" returns nothing, should be a tensor or { x, carried }',
  );
  const optimizer = await refused(
    [
      faulty("optimizer", OPTIMIZERS, () => ({
        role: "generator",
        clip: 1,
        moments: [],
        scalars: () => ({}),
        update: () => undefined,
      })),
    ],
    { optimizers: { generator: { use: "faulty" } } },
  );
  assert.is(
    optimizer.message,
    "Cannot use the optimizer of the generator: its update gives weights as nothing, should be a tensor",
  );
});

test("a role that the method does not have, or that a loss asks for, is named with the nearest", async () => {
  const learner = await refused([lossPlugin("own", "generatr", ({ generated }) => mean(generated.x))], own);
  assert.is(learner.code, "E_OPTION");
  assert.is(
    learner.message,
    'Cannot use loss own: its role is "generatr", learners are teacher, generator, critic, did you mean "generator"?',
  );
  const asking = await refused([lossPlugin("own", "generator", ({ role }) => role("techer"))], own);
  assert.is(
    asking.message,
    'Cannot train: the loss own asks for the role techer, the stage has teacher, generator, critic, did you mean "teacher"?',
  );
});

test("a name that another plugin's loss or metric has is refused", async () => {
  const twin = definePlugin({
    name: "twin",
    kind: "loss",
    token: LOSSES,
    about: "of a test",
    options: {},
    create: () => ({ ...whole, name: "fake-score", weight: 0 }),
  });
  const loss = await refused([twin], { losses: { twin: {} } });
  assert.is(loss.code, "E_DUPLICATE_PLUGIN");
  assert.is(
    loss.message,
    'Cannot use loss "twin": what it makes is called "fake-score", as is that of loss "fake-score"; names must differ',
  );
  const metrics = ["one", "two"].map((name) =>
    definePlugin({
      name,
      kind: "metric",
      token: METRICS,
      about: "of a test",
      options: {},
      create: () => ({ name: "same", begin: () => ({}) as never }),
    }),
  );
  const metric = await refused(metrics, { metrics: { one: {}, two: {} } });
  assert.is(metric.code, "E_DUPLICATE_PLUGIN");
  assert.match(metric.message, 'metric "two": what it makes is called "same", as is that of metric "one"');
});

test("too few samples for a metric, and more of anything than memory holds, are refused before training", async () => {
  const pairwise = definePlugin({
    name: "pairwise",
    kind: "metric",
    token: METRICS,
    about: "of a test",
    options: {},
    create: () => ({ name: "pairwise", least: 2, begin: () => ({}) as never }),
  });
  const few = await refused([pairwise], { metrics: { pairwise: {} }, train: { evaluateCount: 1 } });
  assert.is(few.code, "E_OPTION");
  assert.is(few.message, "Cannot configure train: evaluateCount is 1, the metric pairwise needs at least 2 samples");
  const large = definePlugin({
    name: "large",
    kind: "metric",
    token: METRICS,
    about: "of a test",
    options: {},
    create: () => ({ name: "large", bytesPerSample: 2 ** 20, begin: () => ({}) as never }),
  });
  const many = await refused([large], { metrics: { large: {} }, train: { evaluateCount: 9 } }, { memory: 8 * 2 ** 20 });
  assert.is(many.code, "E_OPTION");
  assert.is(
    many.message,
    "Cannot configure train: evaluateCount is 9, to judge so many with large takes 9 MiB of memory, 8 MiB are there",
  );
  assert.match(many.fix, /^set train\.evaluateCount=4 or less, or leave the metric out/);
  const bands = await refused([], { network: { bands: 1e12 } });
  assert.is(bands.code, "E_OPTION");
  assert.is(bands.message, 'Cannot use network "mlp": its options ask for more than fits into memory');
  const count = thrown(() => resolveConfig(mergeConfig(tiny, { train: { evaluateCount: 1e12 } }), registry()));
  assert.match(count.message, /evaluateCount must be a whole number in \[1, 10000000\]/);
});

test("a network that the method has no part for is refused, not ignored", async () => {
  const alone = definePlugin({
    name: "alone",
    kind: "method",
    token: METHOD,
    about: "of a test",
    options: {},
    create: (_, container) => ({
      name: "alone",
      roles: { teacher: container.get(TEACHER) },
      stages: [{ name: "all", steps: 1, batch: 2, cycle: [[{ role: "teacher" }]] }],
      samplers: {},
    }),
  });
  const { losses, optimizers } = tiny as unknown as Record<string, Record<string, unknown>>;
  const off = (names: object) => Object.fromEntries(Object.keys(names).map((name) => [name, false]));
  const error = await refused([alone], {
    method: { use: "alone" },
    generator: false,
    losses: { ...off(losses), "edm-denoising": {} },
    optimizers: { ...off(optimizers), teacher: {} },
    averages: { generator: false },
  });
  assert.is(error.code, "E_CONFIG");
  assert.is(
    error.message,
    "Cannot run the method alone: the config has a critic, which nothing uses; roles are teacher",
  );
  assert.match(error.fix, /--set critic=off/);
});

test.run();
