import { placeholders } from "../diffusion/mod.ts";
import { grad, program } from "../graph/mod.ts";
import {
  type Backend,
  type Condition,
  classLabel,
  type DataShape,
  type HostArray,
  NETWORK,
  type Network,
} from "../interfaces/mod.ts";
import { initialise, layoutOf, type ParameterLayout, Scope, unpackArenas } from "../nn/mod.ts";
import { add, constantArray, mul, sum } from "../ops/mod.ts";
import type { ConfiguredPlugin } from "../plugin/mod.ts";
import { hostRandom } from "../random/hostRandom.ts";
import { formatShape, type Shape, sameShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { keepingStorage } from "../train/update/precision.ts";
import { compose } from "./compose.ts";
import { type Devices, distance, nameOf, oracleOf, PARITY, same } from "./devices.ts";
import { GRADIENT, gradientError } from "./differences.ts";
import { evaluateOn } from "./evaluateOn.ts";
import { Feed } from "./feed.ts";
import { Findings } from "./findings.ts";
import { feedCondition, spread } from "./madeUpData.ts";

/** What a network is tested on. */
export interface NetworkTest extends Devices {
  /** What the data look like, with every entry of a condition that it reads; three numbers of two classes by default. */
  readonly shape?: DataShape;
  /** Plugins that it needs. */
  readonly plugins?: readonly ConfiguredPlugin[];
}

const SHAPE: DataShape = { sample: [3], condition: classLabel(2), sigmaData: 0.5 };
const BATCH = 2;

/**
 * Holds a network to what is promised of every network, at small options; the oracle is slow:
 * - its options are documented and survive a config
 * - its result has the shape of x, its features and its middle have a row per sample; all are finite, also kept in f16
 * - it asks for each parameter once, by the same names and shapes in every trace and for every batch
 * - its result depends on x, on the level, and on every entry of the condition; entries whose `empty` is "absent" may be
 * - the gradient of result and features, for all trained parameters and x, agrees with central differences in float64
 * - every device finds the same results and gradients
 *
 * Throws an error that lists every problem.
 *
 * @example
 * test("mixer keeps the promises of a network", () =>
 *   testNetwork(mixer({ width: 8 }), { shape, backends: [new ReferenceBackend("f64"), await openWasm()] }));
 */
export async function testNetwork(plugin: ConfiguredPlugin, setting: NetworkTest): Promise<void> {
  const oracle = await oracleOf(setting);
  const findings = new Findings(plugin);
  const { tolerance = PARITY } = setting;
  await findings.part("its parameters cannot be laid out", () => checkNames(findings, plugin, setting));
  let exact: Float32Array | undefined;
  await findings.part("it cannot be applied", async () => {
    const scene = new NetworkScene(plugin, setting);
    checkShapes(findings, scene);
    await checkReading(findings, oracle, scene);
    exact = await everything(oracle, plugin, setting);
    findings.check(exact.every(Number.isFinite), "a result or a gradient is not finite");
  });
  await findings.part("its gradient cannot be checked", () =>
    checkGradient(findings, oracle, new NetworkScene(plugin, setting)),
  );
  for (const backend of setting.backends) {
    const name = nameOf(backend);
    await findings.part(`on ${name}`, async () => {
      await checkHalf(findings, backend, new NetworkScene(plugin, setting));
      if (!exact || backend === oracle) return;
      const far = distance(await everything(backend, plugin, setting), exact);
      findings.check(far <= tolerance, `${name} is ${far.toExponential(1)} from the oracle, above ${tolerance}`);
    });
  }
  findings.settle();
}

/** A network with random parameters, its inputs, and its results. */
class NetworkScene {
  readonly network: Network;
  readonly layout: ParameterLayout;
  readonly feed = new Feed();
  readonly shape: DataShape;
  readonly x: Tensor;
  readonly level: Tensor;
  readonly condition: Condition;
  readonly scope: Scope;
  readonly #parameters: ReadonlyMap<string, Tensor>;

  constructor(plugin: ConfiguredPlugin, setting: NetworkTest) {
    this.shape = setting.shape ?? SHAPE;
    this.network = networkOf(plugin, setting);
    this.layout = layoutOf((scope) => declare(this.network, scope, this.shape));
    const values = unpackArenas(this.layout, initialise(this.layout, 0));
    const random = hostRandom(0, 0, 3);
    const weights = this.feed.weights("parameter ", (name, shape) => {
      const given = Object.hasOwn(values, name) ? values[name] : undefined;
      if (!given || !sameShape(given.shape, shape))
        throw new Error(`it asks for ${name} ${formatShape(shape)} only for another batch`);
      // Besides its own start, so that layers that start at zero have something to say.
      const moved = spread(sizeOf(shape), 0.3 / Math.sqrt(sizeOf(shape.slice(1))), random);
      return moved.map((each, i) => given.data[i] + each);
    });
    this.scope = weights.scope;
    this.#parameters = weights.tensors;
    this.x = this.made("x", 1, [BATCH, ...this.shape.sample]);
    this.level = this.made("level", 1, [BATCH]);
    this.condition = feedCondition(this.feed, this.shape, BATCH);
  }
  /** An input with random numbers of a seed. */
  made(name: string, seed: number, shape: Shape): Tensor {
    return this.feed.tensor(name, shape, spread(sizeOf(shape), 1, hostRandom(seed, 0, 4)));
  }
  results(scope: Scope = this.scope): Record<string, Tensor> {
    const { network, x, level, condition } = this;
    const result = network.apply(scope, x, level, condition);
    const features = network.features(scope, x, level, condition);
    const middle = network.middle?.(scope, x, level, condition);
    return { result, features, ...(middle && { middle }) };
  }
  /** What has a gradient: the parameters that are trained, by their inputs' names, and x. */
  get trained(): Record<string, Tensor> {
    const frozen = this.layout.entries.filter(({ init }) => init.frozen).map(({ name }) => name);
    const trained = [...this.#parameters].filter(([name]) => !frozen.includes(name));
    return {
      ...Object.fromEntries(trained.map(([name, each]) => [`parameter ${name}`, each])),
      x: this.x,
    };
  }
}

const networkOf = (plugin: ConfiguredPlugin, { shape = SHAPE, plugins = [] }: NetworkTest) =>
  compose(shape, ...plugins, keepingStorage(plugin)).get(NETWORK);

/** As a run asks for the parameters. */
function declare(network: Network, scope: Scope, shape: DataShape): void {
  const { x, sigma, condition } = placeholders(shape);
  network.apply(scope, x, sigma, condition);
  network.features(scope, x, sigma, condition);
}

function checkNames(findings: Findings, plugin: ConfiguredPlugin, setting: NetworkTest): void {
  const { shape = SHAPE } = setting;
  const traced = () => {
    const network = networkOf(plugin, setting);
    const { x, sigma, condition } = placeholders(shape);
    return layoutOf((scope) => void network.apply(scope, x, sigma, condition)).entries.map(
      ({ name, shape: own, init }) => `${name} ${formatShape(own)} ${JSON.stringify(init)}`,
    );
  };
  const [first, second] = [traced(), traced()];
  const strange = first.find((each, i) => each !== second[i]);
  findings.check(
    strange === undefined && first.length === second.length,
    `parameter ${strange} is another one in the next trace: names, shapes and starts must repeat`,
  );
  const asked: string[] = [];
  const scope = new Scope((name, own) => {
    asked.push(name);
    return constantArray(new Float32Array(sizeOf(own)), own);
  });
  const { x, sigma, condition } = placeholders(shape);
  networkOf(plugin, setting).apply(scope, x, sigma, condition);
  const twice = asked.find((name, i) => asked.indexOf(name) !== i);
  findings.check(twice === undefined, `it asks for parameter ${twice} twice: names must be unique`);
  findings.check(asked.length > 0, "it has no parameters");
}

function checkShapes(findings: Findings, scene: NetworkScene): void {
  const { result, ...rows } = scene.results();
  findings.check(
    sameShape(result.shape, scene.x.shape),
    `its result is ${formatShape(result.shape)}, should be ${formatShape(scene.x.shape)} as x is`,
  );
  for (const [name, { shape }] of Object.entries(rows))
    findings.check(
      shape.length >= 2 && shape[0] === BATCH,
      `its ${name} is ${formatShape(shape)}, should be [${BATCH}, …] for ${BATCH} samples`,
    );
}

/** Changes each input by itself. */
async function checkReading(findings: Findings, oracle: Backend, scene: NetworkScene): Promise<void> {
  const { network, scope, x, level, condition, shape, feed } = scene;
  const outputs: Record<string, Tensor> = {
    "": network.apply(scope, x, level, condition),
    x: network.apply(scope, scene.made("other x", 2, x.shape), level, condition),
    "the level": network.apply(scope, x, scene.made("other level", 2, level.shape), condition),
  };
  for (const [name, entry] of Object.entries(shape.condition)) {
    const own = condition[name]!;
    const values = Array.from(feed.values[name], (each) => (entry.classes ? (each + 1) % entry.classes : each + 0.5));
    const other = feed.tensor(`other ${name}`, own.shape, values, own.dtype);
    outputs[name] = network.apply(scope, x, level, { ...condition, [name]: other });
    if (entry.empty === "absent")
      outputs[`the absence of ${name}`] = network.apply(scope, x, level, {
        ...condition,
        [name]: undefined,
      });
  }
  const { "": plain, ...changed } = await evaluateOn(oracle, outputs, feed);
  for (const [name, result] of Object.entries(changed))
    findings.check(!same(result, plain), `its result does not depend on ${name}`);
}

/** A number that everything it computes goes into, and the gradient of that. */
function tested(scene: NetworkScene) {
  const results = scene.results();
  const total = Object.entries(results)
    .map(([name, each]) => sum(mul(each, scene.made(`cotangent of ${name}`, 5, each.shape))))
    .reduce((a, b) => add(a, b));
  const { trained } = scene;
  const gradients = grad(total, Object.values(trained)).map((each, i) => [`gradient ${i}`, each]);
  return { results, total, trained, gradients: Object.fromEntries(gradients) as typeof results };
}

async function everything(backend: Backend, plugin: ConfiguredPlugin, setting: NetworkTest) {
  const scene = new NetworkScene(plugin, setting);
  const { results, gradients } = tested(scene);
  const read = await evaluateOn(backend, { ...results, ...gradients }, scene.feed);
  return Float32Array.from(Object.values(read).flatMap((each) => Array.from(each)));
}

async function checkGradient(findings: Findings, oracle: Backend, scene: NetworkScene): Promise<void> {
  const { total, trained, gradients } = tested(scene);
  const { values } = scene.feed;
  const gradient = Object.values(await evaluateOn(oracle, gradients, scene.feed));
  const memory = oracle.createMemory();
  const run = await oracle.compile(program({ name: "total", outputs: { total } }), memory);
  const names = Object.keys(trained);
  const at = names.map((name) => values[name]);
  const error = await gradientError(gradient, at, async (point) => {
    // The oracle takes float64.
    const moved = names.map((name, i) => [name, point[i] as unknown as HostArray]);
    await run.run({ ...values, ...Object.fromEntries(moved) });
    return (await run.read("total"))[0];
  });
  run.dispose();
  memory.dispose();
  findings.check(
    error <= GRADIENT,
    `its gradient is ${error.toExponential(1)} from finite differences, above ${GRADIENT}`,
  );
}

async function checkHalf(findings: Findings, backend: Backend, scene: NetworkScene): Promise<void> {
  const results = await evaluateOn(backend, scene.results(scene.scope.keptIn("f16")), scene.feed);
  for (const [name, values] of Object.entries(results))
    findings.check(values.every(Number.isFinite), `its ${name} is not finite on ${nameOf(backend)} when kept in f16`);
}
