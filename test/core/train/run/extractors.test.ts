// A frozen network, a loss and a metric of a user's own in a run: what they share, and what it costs.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { Container } from "../../../../core/di/mod.ts";
import type { Program } from "../../../../core/graph/mod.ts";
import {
  BACKEND,
  DATA_SHAPE,
  EXTRACTORS,
  type Extractor,
  extractorNamed,
  LOSSES,
  type Loss,
  METRICS,
  type Metric,
} from "../../../../core/interfaces/mod.ts";
import {
  FrozenNetwork,
  type FrozenWeights,
  frozenScope,
  frozenWeights,
  linear,
  type RowStream,
  Scope,
  unpackArenas,
} from "../../../../core/nn/mod.ts";
import { constant, constantArray, input, mean, silu, square } from "../../../../core/ops/mod.ts";
import { boolean, choice, definePlugin, number } from "../../../../core/plugin/mod.ts";
import { composeRun, loadCheckpoint, mergeConfig, planRun, Run, resolveConfig } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { numbers } from "../../../plugins/support.ts";
import { registry, statesOf, tiny } from "../support.ts";

const test = suite("core/train (extractors)");

const WIDTH = 37;
let loads = 0;

/** Points → features [B, 37]. */
const gaze = definePlugin({
  name: "gaze",
  kind: "extractor",
  token: EXTRACTORS,
  about: "An extractor of a test",
  options: { phase: number({ default: 0, about: "of its weights" }) },
  create({ phase }): Extractor {
    const bind: Extractor["bind"] = (scope) => ({
      features: (x) => ({ seen: silu(linear(scope.at("eye"), x, WIDTH)) }),
    });
    let loaded: Promise<FrozenWeights> | undefined;
    const load = async () => {
      loads++;
      const tensors = {
        "eye.weight": { shape: [WIDTH, 2], data: numbers([WIDTH, 2], phase) },
        "eye.bias": { shape: [WIDTH], data: numbers([WIDTH], phase + 1) },
      };
      const declare = (scope: Scope) => void bind(scope).features(input("x", [1, 2]));
      return frozenWeights("gaze", declare, tensors, "a test");
    };
    return {
      name: "gaze",
      reads: { channels: [2], smallest: 1 },
      widths: { seen: WIDTH },
      bind,
      load: () => (loaded ??= load()),
    };
  },
});

const needs = () => [{ kind: "extractor", use: "gaze" } as const];

/** Mean square of what the extractor sees in the generator's points, or in what the critic makes of them. */
const look = definePlugin({
  name: "look",
  kind: "loss",
  token: LOSSES,
  about: "A loss of a test",
  options: {
    role: choice(["generator", "critic"], { default: "generator", about: "who learns from it" }),
    weight: number({ default: 1, min: 0, about: "factor" }),
    inline: boolean({ default: false, about: "whether the weights are constants of the program" }),
  },
  needs,
  create({ role, weight, inline }, container): Loss {
    const extractor = extractorNamed(container, "gaze");
    let weights: FrozenWeights | undefined;
    const scope = ({ layout, arenas }: FrozenWeights) => {
      const values = unpackArenas(layout, arenas);
      return new Scope((name, shape) => constantArray(values[name].data, shape));
    };
    return {
      name: "look",
      role,
      weight,
      frozen: () => (inline ? [] : [weights!]),
      async load() {
        weights = await extractor.load();
      },
      compute({ generated: { x, condition }, critic }) {
        const sigma = constant(1, "f32", [x.shape[0]]);
        const points = role === "generator" ? x : critic.denoise(x, sigma, condition);
        const network = extractor.bind(inline ? scope(weights!) : frozenScope(weights!));
        return mean(square(network.features(points).seen));
      },
    };
  },
});

/** Mean of the features. */
const glance = definePlugin({
  name: "glance",
  kind: "metric",
  token: METRICS,
  about: "A metric of a test",
  options: {},
  needs,
  create(_, container): Metric {
    const extractor = extractorNamed(container, "gaze");
    let network: FrozenNetwork | undefined;
    const open = async () =>
      FrozenNetwork.open(container.get(BACKEND), {
        weights: await extractor.load(),
        inputs: { x: { shape: container.get(DATA_SHAPE).sample } },
        apply: (scope, { x }) => extractor.bind(scope).features(x),
        batch: 4,
      });
    return {
      name: "glance",
      begin() {
        let stream: RowStream | undefined;
        return {
          async take({ x }) {
            network ??= await open();
            stream ??= network.stream();
            await stream.take({ x });
          },
          async result() {
            const { seen } = await stream!.end();
            return { glance: (seen as Float32Array).reduce((a, b) => a + b) / seen.length };
          },
        };
      },
      dispose: () => network?.dispose(),
    };
  },
});

const resolved = (over: object) => resolveConfig(mergeConfig(tiny, over), registry().register([gaze, look, glance]));
const both = (options: object = {}) => ({
  losses: {
    look: { role: "generator", ...options },
    watch: { use: "look", role: "critic", ...options },
  },
});

/** A run of it, and the programs it compiles. */
async function runOf(over: object, files = memoryFiles(), existing?: "resume") {
  const backend = new ReferenceBackend();
  const programs: Program[] = [];
  const compile = backend.compile.bind(backend);
  backend.compile = (program, memory) => {
    programs.push(program);
    return compile(program, memory);
  };
  const output = { files, path: "out", existing };
  const run = await Run.create({ resolved: resolved(over), backend, output });
  return { run, backend, programs };
}
/** Constants of the size of the extractor's weight; tables of noise levels have others. */
const inlined = (programs: readonly Program[]) =>
  programs
    .flatMap(({ plan }) => plan.buffers)
    .filter(({ kind, elements }) => kind === "constant" && elements === 2 * WIDTH);

test("an extractor has the name of its place in the config, so that one plugin can serve twice", () => {
  const { plugins } = resolved({ extractors: { near: { use: "gaze" }, far: { use: "gaze" } } });
  const container = new Container();
  for (const plugin of plugins.filter(({ kind }) => kind === "extractor")) plugin.install(container);
  for (const name of ["near", "far"]) assert.is(extractorNamed(container, name).name, name);
});

test("two frozen networks of one name are refused", async () => {
  const twins = definePlugin({
    ...look.definition,
    name: "twins",
    needs: () => [],
    create: (options, container): Loss => {
      let weights: FrozenWeights[] = [];
      const loss = look.definition.create({ ...options, inline: true } as never, container) as Loss;
      const frozen = () => weights;
      const load = async () => {
        await loss.load?.();
        weights = [await gazeOf(), { ...(await gazeOf()) }];
      };
      return { ...loss, name: "twins", frozen, load };
    },
  });
  const config = { extractors: { gaze: {} }, losses: { twins: {} } };
  const attempt = Run.create({
    resolved: resolveConfig(mergeConfig(tiny, config), registry().register([gaze, twins])),
    backend: new ReferenceBackend(),
  });
  const error = await attempt.catch((reason) => reason);
  assert.match(error.message, /losses bring two frozen networks called gaze, each needs its own/);
});

test("frozen weights are in the memory once, and in no program", async () => {
  const plain = await runOf({});
  const { run, programs } = await runOf(both());
  const { memory } = run.trainer;
  const { layout, arenas } = await gazeOf();
  assert.equal(
    memory.names().filter((name) => name.startsWith("frozen")),
    ["frozen.gaze.0"],
  );
  assert.is(memory.bytes - plain.run.trainer.memory.bytes, 4 * layout.arenas[0]);
  await run.start();
  const reading = programs.filter(({ plan }) =>
    plan.buffers.some((buffer) => buffer.kind === "state" && buffer.name === "frozen.gaze.0"),
  );
  assert.equal(new Set(reading.map(({ name }) => name)).size, 2, "of generator and critic");
  assert.equal(inlined(programs), []);
  assert.equal(await memory.read("frozen.gaze.0"), arenas[0], "nothing moves them");
  await run.dispose();
  await plain.run.dispose();
});

test("and give the updates that constants would give", async () => {
  const states = async (inline: boolean) => {
    const { run, programs } = await runOf(both({ inline }));
    await run.start();
    assert.is(inlined(programs).length > 0, inline);
    const found = await statesOf(run);
    await run.dispose();
    return found;
  };
  const [frozen, inline] = [await states(false), await states(true)];
  assert.equal(frozen, inline);
  const plain = await runOf({});
  await plain.run.start();
  const without = await statesOf(plain.run);
  for (const name of ["generator.weights.0", "critic.weights.0"]) assert.not.equal(without[name], frozen[name], name);
  await plain.run.dispose();
});

test("they are read once, and not at all for a loss of weight 0", async () => {
  loads = 0;
  const { run } = await runOf({ ...both(), metrics: { glance: {} } });
  await run.start();
  assert.is(loads, 1, "for two losses and a metric");
  await run.dispose();
  const off = await runOf(both({ weight: 0 }));
  assert.is(loads, 1);
  assert.not(off.run.trainer.memory.has("frozen.gaze.0"));
  await off.run.dispose();
});

test("a plan counts them", async () => {
  const config = resolved(both());
  const container = await composeRun(config, new ReferenceBackend(), {});
  const { states } = await planRun(container, config.settings, new ReferenceBackend());
  assert.is(states.get("frozen.gaze.0"), 4 * (await gazeOf()).layout.arenas[0]);
});

test("a checkpoint leaves them out; a resumed run has them again", async () => {
  const whole = await runOf(both());
  await whole.run.start();
  const files = memoryFiles();
  const first = await runOf(both(), files);
  first.run.bus.on("step/end", ({ stage, step }) => {
    if (stage === "distillation" && step === 3) first.run.stop();
  });
  await first.run.start();
  const { states } = await loadCheckpoint(files, first.run.folder!.checkpoint);
  assert.not(Object.keys(states).some((name) => name.startsWith("frozen")));
  await first.run.dispose();
  const second = await runOf(both(), files, "resume");
  await second.run.start();
  assert.equal(await statesOf(second.run), await statesOf(whole.run));
  for (const { run } of [second, whole]) await run.dispose();
});

test("a metric judges with the extractor of the config, and the run frees it", async () => {
  const glanceOf = async (over: object) => {
    const { run, backend } = await runOf({ metrics: { glance: {} }, ...over });
    const { judgements } = (await run.start())!;
    await run.dispose();
    assert.is(backend.liveBytes, 0);
    return judgements.map(({ who, metrics }) => [who, metrics.glance] as const);
  };
  const plain = await glanceOf({});
  assert.equal(
    plain.map(([who]) => who),
    ["data", "teacher", "generator"],
  );
  assert.ok(plain.every(([, each]) => Number.isFinite(each)));
  assert.equal(await glanceOf({ extractors: { gaze: {} } }), plain);
  assert.not.equal(await glanceOf({ extractors: { gaze: { phase: 2 } } }), plain);
});

test("an extractor that no one has brought", async () => {
  const { plugins, ...rest } = resolved(both());
  const without = plugins.filter(({ kind }) => kind !== "extractor");
  const error = await composeRun({ ...rest, plugins: without }, new ReferenceBackend(), {}).catch((reason) => reason);
  assert.is(error.code, "E_MISSING_PLUGIN");
  assert.is(error.message, 'Cannot use extractor "gaze": the run has none');
});

const gazeOf = (): Promise<FrozenWeights> =>
  gaze()
    .definition.create({ phase: 0 }, {} as never)
    .load();

test.run();
