import { type Program, program } from "../graph/mod.ts";
import type { Backend, Denoiser, HostArray, Loss } from "../interfaces/mod.ts";
import { mean, square } from "../ops/mod.ts";
import { type ConfiguredPlugin, definePlugin } from "../plugin/mod.ts";
import { distance, nameOf, oracleOf, PARITY, same } from "./devices.ts";
import { GRADIENT, gradientError, heldFixed } from "./differences.ts";
import { checkDraws } from "./draws.ts";
import { Findings } from "./findings.ts";
import { LossScene, type LossTest } from "./lossScene.ts";

/**
 * Holds a loss to what is promised of every loss, in the update of its role as a run makes it:
 * - its options are documented and survive a config; with `weight` 0 it costs nothing, not even a file
 * - it is one finite number, and so is what it reports
 * - its gradient is that of its value, by central differences in float64, and not zero
 * - an update by it moves its own role and no other
 * - the same seed gives the same value, another seed another one: it draws from `context.noise` alone
 * - samples of its own follow from `random`, which it calls a fixed number of times for each
 * - every device finds the same value and gradient, and gets all its memory back
 *
 * Throws an error that lists every problem.
 *
 * @example
 * test("charbonnier keeps the promises of a loss", () =>
 *   testLoss(charbonnier({ epsilon: 1e-2 }), { backends: [new ReferenceBackend("f64"), await openWasm()] }));
 */
export async function testLoss(plugin: ConfiguredPlugin, setting: LossTest): Promise<void> {
  const oracle = await oracleOf(setting);
  const findings = new Findings(plugin);
  const { tolerance = PARITY } = setting;
  let exact: Outcome | undefined;
  await findings.part("it cannot be computed", async () => {
    exact = await outcomeOn(oracle, plugin, setting);
    checkNumbers(findings, exact);
    const again = await outcomeOn(oracle, plugin, setting);
    const repeats = same([again.value], [exact.value]) && same(again.gradient, exact.gradient);
    findings.check(repeats, "the same seed gives another value: draws must come from context.noise");
    if (exact.draws) {
      const other = await outcomeOn(oracle, plugin, setting, 1);
      findings.check(other.value !== exact.value, "another seed gives the same value");
    }
  });
  await findings.part("its gradient cannot be checked", () => checkGradient(findings, oracle, plugin, setting));
  await findings.part("its role cannot be updated", () => checkUpdate(findings, oracle, plugin, setting));
  await findings.part("its own samples cannot be drawn", () => checkOwn(findings, oracle, plugin, setting));
  await findings.part("weight 0 does not switch it off", () => checkOff(findings, oracle, plugin, setting));
  for (const backend of setting.backends) {
    const name = nameOf(backend);
    await findings.part(`on ${name}`, async () => {
      // What a device makes once and keeps is there after the first time; the oracle has had its own.
      const found = exact && backend === oracle ? exact : await outcomeOn(backend, plugin, setting);
      const before = backend.liveBytes;
      await outcomeOn(backend, plugin, setting);
      const left = backend.liveBytes - before;
      findings.check(left <= 0, `it leaves ${left} bytes on ${name}`);
      if (!exact || backend === oracle) return;
      const far = Math.max(distance([found.value], [exact.value]), distance(found.gradient, exact.gradient));
      findings.check(far <= tolerance, `${name} is ${far.toExponential(1)} from the oracle, above ${tolerance}`);
    });
  }
  findings.settle();
}

/** What a loss computes on a device. */
interface Outcome {
  readonly value: number;
  /** For all parameters of its role. */
  readonly gradient: Float32Array;
  readonly reports: Readonly<Record<string, number>>;
  /** Whether its value follows from the seed. */
  readonly draws: boolean;
}

async function outcomeOn(backend: Backend, plugin: ConfiguredPlugin, setting: LossTest, seed = 0): Promise<Outcome> {
  const scene = await LossScene.open(backend, plugin, setting);
  try {
    const { value, gradients, reports } = scene.trace();
    const outputs = { value, ...gradients, ...reports };
    const read = await scene.run(program({ name: "loss", outputs }), seed);
    const numbers = Object.keys(reports).map((name) => [name, read[name][0]]);
    return {
      value: read.value[0],
      gradient: Float32Array.from(Object.keys(gradients).flatMap((name) => Array.from(read[name]))),
      reports: Object.fromEntries(numbers),
      draws: scene.draws,
    };
  } finally {
    await scene.close();
  }
}

function checkNumbers(findings: Findings, { value, gradient, reports }: Outcome): void {
  for (const [name, each] of Object.entries({ "its value": value, ...reports }))
    findings.check(Number.isFinite(each), `${name} is ${each}, should be finite`);
  findings.check(gradient.every(Number.isFinite), "its gradient is not finite");
  findings.check(
    gradient.some((each) => each !== 0),
    "its own role gets no gradient",
  );
}

async function checkGradient(
  findings: Findings,
  oracle: Backend,
  plugin: ConfiguredPlugin,
  setting: LossTest,
): Promise<void> {
  const scene = await LossScene.open(oracle, plugin, setting);
  try {
    const { value, gradients } = scene.trace();
    const { value: function_, held } = setting.surrogate ? heldFixed(value) : { value, held: {} };
    const read = await scene.run(program({ name: "gradient", outputs: { ...gradients, ...held } }), 0);
    const fixed = Object.fromEntries(Object.keys(held).map((name) => [name, read[name]]));
    const at = await Promise.all(Object.keys(gradients).map((name) => scene.memory.read(name)));
    const valueAt = await scene.compiled(program({ name: "value", outputs: { value: function_ } }));
    const gradient = Object.keys(gradients).map((name) => read[name]);
    const error = await gradientError(gradient, at, async (point) => {
      // The oracle takes float64.
      for (const [k, name] of Object.keys(gradients).entries())
        scene.memory.write(name, point[k] as unknown as HostArray);
      return (await valueAt(0, fixed)).value[0];
    });
    const advice = setting.surrogate ? "" : ", or say that it is a `surrogate`";
    findings.check(
      error <= GRADIENT,
      `its gradient is ${error.toExponential(1)} from finite differences, above ${GRADIENT}: correct it${advice}`,
    );
  } finally {
    await scene.close();
  }
}

async function checkUpdate(
  findings: Findings,
  oracle: Backend,
  plugin: ConfiguredPlugin,
  setting: LossTest,
): Promise<void> {
  const scene = await LossScene.open(oracle, plugin, setting);
  try {
    const before = await scene.states();
    await scene.update();
    for (const [name, values] of Object.entries(await scene.states())) {
      const own = name.startsWith(`${scene.loss.role}.weights.`);
      if (!own) findings.check(same(values, before[name]), `an update of its role changes ${name}`);
    }
  } finally {
    await scene.close();
  }
}

async function checkOwn(
  findings: Findings,
  oracle: Backend,
  plugin: ConfiguredPlugin,
  setting: LossTest,
): Promise<void> {
  const scene = await LossScene.open(oracle, plugin, setting);
  try {
    const { own } = scene.loss;
    if (own) await checkDraws(findings, "its own samples", (count, random) => own.batch(count, random));
  } finally {
    await scene.close();
  }
}

/** A loss of the same role, which has the turn to itself once the other is off. */
const companion = (role: string): Loss => ({
  name: "companion of the test",
  role,
  weight: 1,
  compute: ({ role: of, real: { x, condition }, noise }) => {
    const sigma = noise.uniform([x.shape[0]]);
    return mean(square(of<Denoiser>(role).denoise(x, sigma, condition)));
  },
});

async function checkOff(
  findings: Findings,
  oracle: Backend,
  { definition, options }: ConfiguredPlugin,
  setting: LossTest,
): Promise<void> {
  if (!("weight" in definition.options)) {
    findings.add("it has no option weight, with which a config could switch it off");
    return;
  }
  const off = definePlugin(definition).configure({ ...options, weight: 0 });
  const scene = await LossScene.open(oracle, off, { ...setting, folder: {} });
  try {
    const { loss } = scene;
    findings.check(loss.weight === 0, `its weight is ${loss.weight} where option weight is 0`);
    const alone = [companion(loss.role)];
    const texts = [alone, [loss, ...alone]].map((losses) => textOf(scene.program(losses)));
    findings.check(texts[0] === texts[1], "with weight 0 it is still in the program of its role");
  } finally {
    await scene.close();
  }
}

/** A program by what it does, so that two can be compared. */
const textOf = ({ nodes }: Program): string => {
  const places = new Map(nodes.map((node, i) => [node, i]));
  return nodes.map(({ op, inputs, shape }) => `${op.name}(${inputs.map((each) => places.get(each))})[${shape}]`).join();
};
