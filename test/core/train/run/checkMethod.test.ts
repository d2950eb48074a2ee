// Methods of a test's own: every way in which one can be wrong, and one whose roles have other names.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import type { Resolver } from "../../../../core/di/mod.ts";
import { edmDenoiser, ownSampler, placeholders } from "../../../../core/diffusion/mod.ts";
import { OnestepError } from "../../../../core/errors.ts";
import {
  CRITIC,
  DATA_SHAPE,
  type Denoiser,
  GENERATOR,
  type GeneratorNetwork,
  METHOD,
  type Method,
  NETWORK,
  type Role,
  type Stage,
  TEACHER,
} from "../../../../core/interfaces/mod.ts";
import { constant, mean, mul, square, sub } from "../../../../core/ops/mod.ts";
import { definePlugin } from "../../../../core/plugin/mod.ts";
import {
  decodeWeights,
  mergeConfig,
  Run,
  type RunConfig,
  type RunResult,
  resolveConfig,
  type TrainEvent,
} from "../../../../core/train/mod.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { lossPlugin, registry, statesOf, tiny } from "../support.ts";

const test = suite("core/train/checkMethod");

/** A plugin of a method that the test makes. */
const methodPlugin = (create: (container: Resolver) => Method) =>
  definePlugin({
    name: "mine",
    kind: "method",
    token: METHOD,
    about: "A method of a test",
    options: {},
    create: (_, container) => create(container),
  });

const [t, g, c] = ["teacher", "generator", "critic"].map((role) => ({ role }));
/** A stage in which all learn. */
const whole: Stage = { name: "all", steps: 1, batch: 2, cycle: [[t, g, c]] };

/** Makes a run of the tiny experiment with a method that is sound but for `over`. */
async function created(over: Partial<Method> = {}, config: unknown = {}): Promise<void> {
  const plugin = methodPlugin((container) => ({
    name: "mine",
    roles: {
      teacher: container.get(TEACHER),
      generator: container.get(GENERATOR),
      critic: container.get(CRITIC),
    },
    stages: [whole],
    maker: "generator",
    samplers: {},
    ...over,
  }));
  const given = mergeConfig({ ...tiny, method: { use: "mine" } } as RunConfig, config);
  const resolved = resolveConfig(given, registry().register([plugin]));
  const run = await Run.create({ resolved, backend: new ReferenceBackend() });
  await run.dispose();
}

async function refused(over: Partial<Method>, config: unknown = {}): Promise<OnestepError> {
  const error = await created(over, config).then(
    () => undefined,
    (reason) => reason,
  );
  assert.instance(error, OnestepError);
  return error;
}

const known = "which the method does not have; it should be one of teacher, generator, critic";
const stages = (...given: Partial<Stage>[]): Partial<Method> => ({
  stages: given.map((each) => ({ ...whole, ...each })),
});

/** What is wrong, and what is said about it. */
const wrong: [what: string, over: Partial<Method>, says: string, config?: object][] = [
  ["a maker that is no role", { maker: "studnet" }, `maker names the role "studnet", ${known}`],
  [
    "a sampler of a role that is none",
    { samplers: { genrator: { sigmaMax: 1, steps: [] } } },
    `samplers names the role "genrator", ${known}, did you mean "generator"?`,
  ],
  [
    "a role without a value",
    { roles: { teacher: undefined } as never },
    'its role "teacher" is no network, should be what a plugin provides for TEACHER, GENERATOR or CRITIC',
  ],
  [
    "no samplers",
    { samplers: undefined },
    "it has no samplers, should have a record of them by role, which may be empty",
  ],
  ["a stage without a name", stages({ name: " " }), "a stage has no name, each needs its own"],
  ["a stage of half a step", stages({ steps: 2.5 }), 'steps of stage "all" is 2.5, should be a whole number from 0'],
  ["a stage of steps below 0", stages({ steps: -5 }), 'steps of stage "all" is -5, should be a whole number from 0'],
  ["a stage without samples", stages({ batch: 0 }), 'batch of stage "all" is 0, should be a whole number from 1'],
  [
    "a stage without a cycle",
    stages({ cycle: undefined }),
    'stage "all" has no cycle, should have a list of steps with their turns',
  ],
  ["no stages", { stages: [] }, "it has no stages, should have one or more"],
  [
    "two stages of one name",
    stages({ name: "round" }, { name: "round" }),
    'two stages are called "round", each needs its own name',
  ],
  [
    "a turn of a role that is none",
    stages({ cycle: [[t, g, c], [{ role: "critik" }]] }),
    `stage "all" names the role "critik", ${known}, did you mean "critic"?`,
  ],
  ["a stage's role that is none", stages({ roles: ["a"] }), `stage "all" names the role "a", ${known}`],
  ["a role that begins and is none", stages({ begins: { b: "teacher" } }), `stage "all" names the role "b", ${known}`],
  [
    "a role to begin from that is none",
    stages({ begins: { generator: "b" } }),
    `stage "all" names the role "b", ${known}`,
  ],
  ["a cycle without steps", stages({ cycle: [] }), 'stage "all" has a cycle without turns, should have one or more'],
  [
    "a step without turns",
    stages({ cycle: [[t, g, c], []] }),
    'stage "all" has no turn in step 1 of its cycle, should have one or more',
  ],
  [
    "a turn of a role that does not take part",
    stages({ roles: ["teacher", "generator"] }),
    'stage "all" has a turn of the critic, which does not take part; roles are teacher, generator',
  ],
  [
    "one turn twice in a step",
    stages({ cycle: [[t, g, c, g]] }),
    'stage "all" has the same turn of the generator twice in one step, should have it in steps of its own',
  ],
  [
    "one turn twice, once by its default",
    stages({ cycle: [[t, g, c, { ...c, images: "made" }]] }),
    'stage "all" has the same turn of the critic twice in one step, should have it in steps of its own',
  ],
  [
    "images kept without a maker",
    { ...stages({ cycle: [[t, { ...g, keeps: true }, c]] }), maker: undefined },
    'stage "all" keeps images, and the method has no maker; it should name the role that makes them',
  ],
  [
    "kept images taken without a maker",
    { ...stages({ cycle: [[t, g, { ...c, images: "kept" }]] }), maker: undefined },
    'stage "all" keeps images, and the method has no maker; it should name the role that makes them',
  ],
  [
    "kept images before any are kept",
    stages({ cycle: [[t, { ...c, images: "kept" }, { ...g, keeps: true }]] }),
    'stage "all" gives the critic kept images, and no turn before it in the step keeps any',
  ],
  [
    "images that an earlier step has kept",
    stages({ cycle: [[t, { ...g, keeps: true }], [{ ...c, images: "kept" }]] }),
    'stage "all" gives the critic kept images, and no turn before it in the step keeps any',
  ],
  [
    "a role that begins from one without weights",
    stages({ cycle: [[g, c]], begins: { generator: "teacher" } }),
    'stage "all" begins the generator from the teacher, which has no weights of that layout; both should be over the same network',
    { teacher: { use: "gaussian-mixture" }, losses: { "edm-denoising": false } },
  ],
  [
    "a role that begins from one of other names",
    stages({ begins: { teacher: "critic" } }),
    'stage "all" begins the teacher from the critic, which has no weights of that layout; both should be over the same network',
  ],
  [
    "a loss of a role that never learns",
    stages({ cycle: [[g, c]] }),
    "the loss edm-denoising is for the teacher, which never learns; learners are generator, critic",
  ],
  [
    "an optimizer of a role that is none",
    {},
    `optimizers names the role "studnet", ${known}`,
    { optimizers: { studnet: { use: "adamw" } } },
  ],
  [
    "an average of a role that is none",
    {},
    `averages names the role "critics", ${known}, did you mean "critic"?`,
    { averages: { "critics/slow": { use: "ema" } } },
  ],
];

test("refuses a loss that makes nothing of the numbers that the generator learns", async () => {
  const scaled = {
    dataset: { use: "sides" },
    network: { labelDropout: 0.1 },
    generator: { guidanceScale: 1, guidanceMax: 4 },
  };
  const error = await refused({}, { ...scaled, losses: { shrink: {} } });
  assert.is(error.code, "E_CONFIG");
  assert.match(error.message, /^Cannot use loss shrink: the generator learns guidance from 1 to 4, of which this loss/);
  await created({}, scaled);
  await created({}, { ...scaled, losses: { shrink: { weight: 0 } } });
  const alone = await refused({}, { ...scaled, losses: { "distribution-matching": { weight: 0 } } });
  assert.match(alone.message, /^Cannot use the losses gan-generator: .* none of them teaches what it means$/);
});

for (const [what, over, says, config] of wrong)
  test(`refuses ${what}`, async () => {
    const error = await refused(over, config);
    assert.is(error.code, "E_CONFIG");
    assert.is(error.message, `Cannot run the method mine: ${says}`);
  });

test("refuses a loss whose role never learns with the ways out, and none of weight 0", async () => {
  const only = stages({ cycle: [[g, c]] });
  const { fix } = await refused(only);
  assert.is(fix, "leave the loss out with --set losses.edm-denoising=off, or give the teacher turns");
  await created(only, { losses: { "edm-denoising": { weight: 0 } } });
});

test("refuses parts that do not divide a stage's batch, where it has steps", async () => {
  const parts = { train: { accumulate: 2 } };
  const error = await refused(stages({}, { name: "odd", batch: 3 }), parts);
  assert.is(error.code, "E_OPTION");
  assert.is(
    error.message,
    'Cannot configure train: accumulate is 2, should divide the batch of stage "odd", which is 3',
  );
  await created(stages({}, { name: "odd", batch: 3, steps: 0 }), parts);
});

test("refuses learners without an optimizer, without a loss, and losses that ask for who is not there", async () => {
  const optimizer = await refused({}, { optimizers: { critic: false } });
  assert.is(optimizer.code, "E_CONFIG");
  assert.is(optimizer.message, 'Cannot train the critic: no optimizer has role "critic"');
  const loss = await refused({}, { losses: { "edm-denoising": false } });
  assert.is(loss.message, "Cannot train the teacher: it has no loss, expected at least one");
  const alone = { name: "alone", cycle: [[g]], roles: ["generator"] };
  const absent = await refused(stages({}, alone), {
    losses: { "gan-generator": false },
  });
  assert.is(absent.code, "E_CONFIG");
  assert.is(
    absent.message,
    "Cannot train: the loss distribution-matching asks for the role teacher, the stage has generator",
  );
});

test("takes a sound method, kept images, and several stages", async () => {
  await created();
  // A recipe's optimizer and average of a role that happens not to learn do no harm.
  await created(stages({ cycle: [[g, c]] }), { losses: { "edm-denoising": false } });
  const keeps = { ...g, keeps: true };
  const kept = { ...c, images: "kept" as const };
  await created(
    stages(
      {
        name: "one",
        cycle: [
          [t, keeps, kept, c],
          [g, c],
        ],
      },
      { name: "two", begins: { generator: "teacher", critic: "teacher" } },
      { name: "none", steps: 0 },
    ),
  );
});

/** x = D(σ·ε; σ) at one level: a maker over the run's network. */
const SIGMA = 5;
function makerOver(container: Resolver): Role<GeneratorNetwork> {
  const network = container.get(NETWORK);
  const shape = container.get(DATA_SHAPE);
  const bind = (scope: Parameters<Role["bind"]>[0]): GeneratorNetwork => {
    const denoiser = edmDenoiser((...inputs) => network.apply(scope, ...inputs), shape.sigmaData);
    return {
      ...denoiser,
      generate(count, condition, noise) {
        const eps = noise.normal([count, ...shape.sample]);
        return denoiser.denoise(mul(eps, SIGMA), constant(SIGMA, "f32", [count]), condition);
      },
    };
  };
  return {
    bind,
    declare(scope) {
      const { x, sigma, condition } = placeholders(shape);
      bind(scope).denoise(x, sigma, condition);
    },
  };
}

/** a learns alone, then against b, which begins as a and sees the images that a has kept. */
const twoRoles = methodPlugin((container) => ({
  name: "mine",
  roles: { a: makerOver(container), b: makerOver(container) },
  maker: "a",
  stages: [
    { name: "warm up", steps: 3, batch: 4, roles: ["a"], cycle: [[{ role: "a" }]] },
    {
      name: "both",
      steps: 5,
      batch: 6,
      numbers: { target: 2 },
      begins: { b: "a" },
      cycle: [
        [
          { role: "a", keeps: true },
          { role: "b", images: "kept" },
        ],
        [{ role: "b" }],
      ],
    },
    {
      name: "again",
      steps: 2,
      batch: 3,
      cycle: [
        [
          { role: "a", keeps: true },
          { role: "b", images: "kept" },
        ],
      ],
    },
  ],
  samplers: { a: ownSampler({ sigmas: [SIGMA] }) },
}));

/** What the losses were told: one entry for each trace. */
const told: string[] = [];
const attract = lossPlugin("attract", "a", ({ role, stage, generated }) => {
  told.push(`${stage.name} ${stage.numbers?.target ?? "-"}`);
  if (stage.name === "warm up") return mean(square(sub(generated.x, 1)));
  const sigma = constant(1, "f32", [generated.x.shape[0]]);
  const other = role<Denoiser>("b").denoise(generated.x, sigma, generated.condition);
  return mean(square(sub(other, stage.numbers?.target ?? 1)));
});
const follow = lossPlugin("follow", "b", ({ role, average, generated: { x, condition } }) => {
  const sigma = constant(1, "f32", [x.shape[0]]);
  const own = role<Denoiser>("b").denoise(x, sigma, condition);
  const slow = average<Denoiser>("a", "slow").denoise(x, sigma, condition);
  return mean(square(sub(own, mul(slow, 0.5))));
});

const config = (train: object = {}): RunConfig => ({
  dataset: { use: "sides" },
  network: { use: "mlp", width: 6, depth: 1, bands: 2 },
  method: { use: "mine" },
  losses: { attract: {}, follow: {} },
  optimizers: { a: { use: "adamw", lr: 1e-2 }, b: { use: "adamw", lr: 1e-2 } },
  averages: { a: { use: "ema", halfLife: 20 }, "a/slow": { use: "ema", halfLife: 200 } },
  train: { evaluateCount: 5, ...train },
});

/** Runs it; stops after so many steps of all stages. */
async function finish(
  files: MemoryFiles,
  { stopAt = -1, existing, train }: { stopAt?: number; existing?: "resume"; train?: object } = {},
) {
  const resolved = resolveConfig(config(train), registry().register([twoRoles, attract, follow]));
  const output = { files, path: "out", existing };
  const run = await Run.create({ resolved, backend: new ReferenceBackend(), output });
  const begin = await statesOf(run);
  const events: TrainEvent[] = [];
  run.bus.listen((event) => void events.push(event));
  let steps = 0;
  run.bus.on("step/end", () => void (++steps === stopAt && run.stop()));
  const result: RunResult = await run.start();
  const states = await statesOf(run);
  await run.dispose();
  return { result, states, begin, events };
}
const turns = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.type === "role/updated" ? [`${event.stage} ${event.role}`] : []));

for (const train of [{}, { accumulate: 1, precision: { a: "f16" }, diagnoseEvery: 2 }])
  test(`roles of other names train, are judged, and go on where they were stopped (${JSON.stringify(train)})`, async () => {
    const files = memoryFiles();
    const { result, states, begin, events } = await finish(files, { train });
    assert.is(result.reason, "complete");
    assert.equal(turns(events), [
      ...Array(3).fill("warm up a"),
      ...["both a", "both b", "both b", "both a", "both b", "both b", "both a", "both b"],
      ...["again a", "again b", "again a", "again b"],
    ]);
    assert.equal(
      result.judgements.map(({ who, nfe }) => [who, nfe]),
      [
        ["data", 0],
        ["a", 1],
      ],
    );
    for (const name of ["a.weights.0", "a.average.0", "a.average/slow.0", "b.weights.0"])
      assert.not.equal(states[name], begin[name], name);
    assert.not.equal(states["b.weights.0"], states["a.weights.0"]);
    assert.ok(Object.values(states).every((values) => values.every(Number.isFinite)));
    for (const role of ["a", "b"]) {
      const { info, tensors } = decodeWeights(files.contents.get(`out/${role}.safetensors`)!, role);
      assert.is(info.role, role);
      assert.equal(Object.keys(tensors).sort(), [
        "label.weight",
        "net.0.bias",
        "net.0.weight",
        "out.bias",
        "out.weight",
      ]);
    }
    for (const stopAt of [2, 3, 4, 6, 8, 9]) {
      const folder = memoryFiles();
      const stopped = await finish(folder, { stopAt, train });
      assert.is(stopped.result.reason, "stopped", `${stopAt}`);
      const resumed = await finish(folder, { existing: "resume", train });
      assert.equal(resumed.states, states, `stopped after ${stopAt} steps`);
      assert.equal([...folder.contents.keys()].sort(), [...files.contents.keys()].sort());
      for (const [path, bytes] of files.contents) assert.equal(folder.contents.get(path), bytes, path);
    }
  });

test("losses are told the stage and its numbers", () => {
  for (const entry of ["warm up -", "both 2", "again -"]) assert.ok(told.includes(entry), entry);
});

test("an average that the config does not keep is named with those it does", async () => {
  const given = { ...config(), averages: { a: { use: "ema" } } };
  const resolved = resolveConfig(given, registry().register([twoRoles, attract, follow]));
  const error = await Run.create({ resolved, backend: new ReferenceBackend() }).catch((e) => e);
  assert.is(error.code, "E_CONFIG");
  assert.is(error.message, "Cannot train: the loss follow asks for the average a/slow, the config keeps a");
});

test.run();
