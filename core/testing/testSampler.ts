import { perSample } from "../diffusion/mod.ts";
import { type Backend, type DataShape, type Denoiser, SAMPLER, type Sampler } from "../interfaces/mod.ts";
import { add, div, mul, sqrt, square, sub } from "../ops/mod.ts";
import type { ConfiguredPlugin } from "../plugin/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Player, SampleDrawer } from "../train/mod.ts";
import { compose } from "./compose.ts";
import { type Devices, distance, nameOf, oracleOf, PARITY, same } from "./devices.ts";
import { Findings } from "./findings.ts";

/** What a sampler is tested on. */
export interface SamplerTest extends Devices {
  /** Network calls for one sample, as its documentation counts them. */
  readonly nfe: number;
  /** Whether a sample follows from its first noise; true by default. */
  readonly deterministic?: boolean;
  /** What it is made for: a denoiser, by default, or a consistency model, which tells where the probability flow ends. */
  readonly model?: "denoiser" | "consistency";
  /** Plugins that it needs, such as a noise process. */
  readonly plugins?: readonly ConfiguredPlugin[];
  /** How far mean and deviation of the samples may be from the data's 0.3 and 0.5; `BIAS` by default. */
  readonly bias?: number;
  /** Most programs that its steps need; 4 by default. */
  readonly programs?: number;
}

/** What a finite number of steps leaves, and five standard errors of a mean of 4096 numbers of deviation 0.5. */
export const BIAS = 0.05;

const [MEAN, DEVIATION] = [0.3, 0.5];
const SHAPE: DataShape = { sample: [4], condition: {}, sigmaData: DEVIATION };
const COUNT = 1024;

/**
 * Holds a sampler to what is promised of every sampler, with the exact model of data N(0.3, 0.5²), drawn as a run draws:
 * - its options are documented and survive a config
 * - the samples have the data's mean and deviation, so configure it with as many steps as that takes
 * - it calls the network as often as it says, and draws noise on the way only if it says that
 * - the same seed gives the same samples, also from a drawer that has drawn before, and sample i does not depend on how many
 *   are drawn at a time; another seed gives others
 * - steps of one kind share a program, whatever their number
 * - every device draws the same samples
 *
 * Throws an error that lists every problem.
 *
 * @example
 * test("midpoint keeps the promises of a sampler", () =>
 *   testSampler(midpoint({ steps: 30 }), { nfe: 60, backends: [new ReferenceBackend("f64"), await openWasm()] }));
 */
export async function testSampler(plugin: ConfiguredPlugin, setting: SamplerTest): Promise<void> {
  const oracle = await oracleOf(setting);
  const findings = new Findings(plugin);
  const { tolerance = PARITY } = setting;
  let exact: Float32Array | undefined;
  await findings.part("it cannot be composed", () => checkSteps(findings, samplerOf(plugin, setting), setting));
  await findings.part("it cannot draw", async () => {
    const { first, again, parts, other, nfe, deterministic } = await drawn(oracle, plugin, setting);
    exact = first;
    checkMoments(findings, first, setting);
    findings.check(nfe === setting.nfe, `its NFE is ${nfe}, should be ${setting.nfe}`);
    const { deterministic: expected = true } = setting;
    findings.check(
      deterministic === expected,
      `it draws ${deterministic ? "no" : "fresh"} noise on the way, \`deterministic\` is ${expected}`,
    );
    findings.check(same(parts, again), "the same seed gives other samples");
    findings.check(!same(parts, other), "another seed gives the same samples");
    findings.check(same(first.subarray(0, parts.length), parts), "a sample depends on how many are drawn at a time");
  });
  for (const backend of setting.backends.slice(1))
    await findings.part(`on ${nameOf(backend)}`, async () => {
      const { first } = await drawn(backend, plugin, setting);
      const far = exact ? distance(first, exact) : 0;
      findings.check(
        far <= tolerance,
        `${nameOf(backend)} is ${far.toExponential(1)} from the oracle, above ${tolerance}`,
      );
    });
  findings.settle();
}

const samplerOf = (plugin: ConfiguredPlugin, { plugins = [] }: SamplerTest): Sampler =>
  compose(SHAPE, ...plugins, plugin).get(SAMPLER);

/** The exact models of the data, elementwise. */
const models: Record<NonNullable<SamplerTest["model"]>, Denoiser> = {
  /** D(x; σ) = m + (x − m) s²/(s² + σ²) */
  denoiser: { denoise: (x, sigma) => shrunk(x, div(DEVIATION ** 2, variance(x, sigma))) },
  /** f(x; σ) = m + (x − m) s/√(s² + σ²) */
  consistency: { denoise: (x, sigma) => shrunk(x, div(DEVIATION, sqrt(variance(x, sigma)))) },
};
const variance = (x: Tensor, sigma: Tensor) => add(square(perSample(sigma, x.shape.length)), DEVIATION ** 2);
const shrunk = (x: Tensor, factor: Tensor) => add(mul(sub(x, MEAN), factor), MEAN);

async function drawn(backend: Backend, plugin: ConfiguredPlugin, setting: SamplerTest) {
  const sampler = samplerOf(plugin, setting);
  const memory = backend.createMemory();
  const role = { bind: () => models[setting.model ?? "denoiser"], declare: () => {} };
  const player = new Player("sampled", role, memory);
  const drawer = (batch: number) => SampleDrawer.create(backend, memory, player, sampler, SHAPE, batch);
  const [whole, part] = [await drawer(COUNT), await drawer(3)];
  const { nfe, deterministic } = whole;
  const draw = async (by: SampleDrawer, count: number, seed: number) => (await by.draw({ count, seed })).x;
  const first = await draw(whole, COUNT, 1);
  const [parts, again, other] = [await draw(part, 8, 1), await draw(part, 8, 1), await draw(part, 8, 2)];
  for (const each of [whole, part]) each.dispose();
  memory.dispose();
  return { first, again, parts, other, nfe, deterministic };
}

function checkMoments(findings: Findings, x: Float32Array, { bias = BIAS }: SamplerTest): void {
  const mean = x.reduce((sum, each) => sum + each, 0) / x.length;
  const deviation = Math.sqrt(x.reduce((sum, each) => sum + (each - mean) ** 2, 0) / x.length);
  for (const [name, found, expected] of [
    ["mean", mean, MEAN],
    ["deviation", deviation, DEVIATION],
  ] as const)
    findings.check(
      Math.abs(found - expected) <= bias,
      `the ${name} of its samples is ${found.toFixed(3)}, should be ${expected} ± ${bias}`,
    );
}

function checkSteps(findings: Findings, { steps, sigmaMax }: Sampler, { programs = 4 }: SamplerTest): void {
  findings.check(sigmaMax > 0 && sigmaMax < Number.POSITIVE_INFINITY, `its sigmaMax is ${sigmaMax}`);
  const rules = new Set(steps.map(({ rule }) => rule)).size;
  findings.check(
    rules <= programs,
    `its ${steps.length} steps have ${rules} rules, a program each, should share at most ${programs}: make rules once, and numbers of a step its \`values\``,
  );
}
