import { failure } from "../../errors.ts";
import { program } from "../../graph/mod.ts";
import type { Backend, Executable, HostArray, Memory } from "../../interfaces/backend.ts";
import type { Batch, DataShape, Dataset } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import type { Sampler, SamplerRule } from "../../interfaces/sampler.ts";
import { sampleNoise } from "../../random/hostRandom.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { conditionArrays, conditionInputs } from "../batch/conditionInputs.ts";
import { conditionRows } from "../batch/turnInputs.ts";
import { breathe } from "../loop/breathe.ts";
import type { Copy, Player } from "../update/player.ts";
import { Traces } from "../update/traces.ts";
import { type SamplerStates, samplerStates, type TracedRule, traceRule } from "./samplerProgram.ts";

/** Samples on the host, with what they cost. */
export interface Drawn {
  /** [count, …] */
  readonly shape: readonly number[];
  readonly x: Float32Array;
  readonly condition: Batch["condition"];
  /** Network calls each sample took. */
  readonly nfe: number;
}

/** What to draw. */
export interface DrawRequest {
  readonly count: number;
  readonly seed: number;
  /** What each sample begins with in place of its seed's own noise, of variance 1: [count, …]. */
  readonly noise?: Float32Array;
  /** Entries of the condition of every sample; those with classes are index mod classes when absent. */
  readonly condition?: Batch["condition"];
  /** What guidance leads away from, where the data store it. */
  readonly empty?: Dataset["empty"];
  /** Steps of the sampler of which the samples are wanted as they begin, and who takes them: [taken, …] from sample `first` on. */
  readonly states?: {
    readonly steps: readonly number[];
    take(step: number, first: number, x: Float32Array): void;
  };
  /** Called between the steps of the sampler with how many samples are done; ends the drawing when it rejects. */
  readonly pace?: (done: number, total: number) => Promise<void>;
}

/** How a drawer is made. */
export interface DrawerOptions {
  /** The weights they are drawn with; "served" by default. */
  readonly copy?: Copy;
  /** Of players and data like these. */
  readonly traces?: Traces;
}

/** How many of so many samples are computed at a time: `most`, or a hundred images, more points or other vectors. */
export const drawBatch = ({ sample }: DataShape, count: number, most?: number): number =>
  Math.min(count, most ?? (sample.length === 1 ? 10_000 : 100));

/** A rule of the sampler, ready to run. */
interface CompiledRule extends Omit<TracedRule, "updates"> {
  readonly run: Executable;
}

/**
 * Draws samples from a role with a sampler. Compiles one program per rule and replays it; samples stay on
 * the device from step to step. The host draws noise from one stream per sample: sample i of a seed does not depend on
 * the device, on how many are drawn, or on how many at a time.
 */
export class SampleDrawer {
  readonly #rules = new Map<SamplerRule, CompiledRule>();
  readonly #sampler: Sampler;
  readonly #data: DataShape;
  readonly #batch: number;
  readonly #memory: Memory;
  readonly #states: SamplerStates;

  private constructor(sampler: Sampler, data: DataShape, batch: number, memory: Memory) {
    this.#sampler = sampler;
    this.#data = data;
    this.#batch = batch;
    this.#memory = memory;
    // Drawers of one batch size share the states.
    this.#states = samplerStates(sampler, `samples.${batch}`, [batch, ...data.sample]);
  }

  /** @param batch samples computed at a time; any count can be drawn */
  static async create(
    backend: Backend,
    memory: Memory,
    player: Player<Denoiser>,
    sampler: Sampler,
    data: DataShape,
    batch: number,
    { copy = "served", traces = new Traces() }: DrawerOptions = {},
  ): Promise<SampleDrawer> {
    const drawer = new SampleDrawer(sampler, data, batch, memory);
    for (const name of drawer.#states.names) memory.allocate(name, batch * sizeOf(data.sample));
    for (const rule of new Set(sampler.steps.map((step) => step.rule))) {
      const { step, ...traced } = traces.once(rule, `${player.name} ${copy} ${batch}`, () =>
        drawer.#trace(player, copy, rule),
      );
      drawer.#rules.set(rule, { run: await backend.compile(step, memory), ...traced });
    }
    return drawer;
  }

  /** Network calls for one sample. */
  get nfe(): number {
    return this.#sampler.steps.reduce((sum, { rule }) => sum + this.#rules.get(rule)!.nfe, 0);
  }

  /** Where each step begins: its noise level σ, and the factor `widen` from its samples to x0 + σ·ε, where its rule has such numbers. */
  get begins(): readonly { readonly sigma?: number; readonly widen?: number }[] {
    return this.#sampler.steps.map(({ values: { sigma, widen } }) => ({ sigma, widen }));
  }

  /** Whether a sample follows from its first noise alone. */
  get deterministic(): boolean {
    return [...this.#rules.values()].every(({ noises }) => noises.length === 0);
  }

  /** @throws OptionError when the condition or the noise is not that of `count` samples */
  async draw(request: DrawRequest): Promise<Drawn> {
    const { count, condition: given = {} } = request;
    const size = sizeOf(this.#data.sample);
    const x = new Float32Array(count * size);
    let first = 0;
    for await (const batch of this.batches(request)) {
      x.set(batch.x, first * size);
      first += batch.shape[0];
    }
    const condition = wholeCondition(this.#data.condition, given, count);
    return { shape: [count, ...this.#data.sample], x, condition, nfe: this.nfe };
  }

  /** The same samples in order, in portions as they are computed. */
  async *batches({
    count,
    seed,
    noise,
    condition: given = {},
    empty,
    states,
    pace,
  }: DrawRequest): AsyncGenerator<Drawn, void> {
    const { sample, condition: shape } = this.#data;
    const condition = wholeCondition(shape, given, count);
    checkNoise(noise, count, sample);
    for (let first = 0; first < count; first += this.#batch) {
      const taken = Math.min(this.#batch, count - first);
      const rows = { first, size: this.#batch };
      const inputs = conditionArrays(shape, "prompt", { condition, empty }, rows);
      const size = taken * sizeOf(sample);
      const begun = async (step: number) => {
        await pace?.(Math.floor(first + (step / this.#sampler.steps.length) * taken), count);
        if (states?.steps.includes(step)) states.take(step, first, (await this.#read()).subarray(0, size));
      };
      const own = noise?.subarray(first * sizeOf(sample), first * sizeOf(sample) + size);
      const x = (await this.#portion(seed, first, inputs, begun, own)).subarray(0, size);
      yield {
        shape: [taken, ...sample],
        x,
        condition: conditionRows(condition, count, first, first + taken),
        nfe: this.nfe,
      };
    }
    await pace?.(count, count);
  }

  /** The samples as they are now. */
  async #read(): Promise<Float32Array> {
    return (await this.#memory.read(this.#states.names[0])) as Float32Array;
  }

  /** Samples first, first + 1, …, a batch of them. It tells when each step begins, and signals are heard. */
  async #portion(
    seed: number,
    first: number,
    condition: Record<string, HostArray>,
    begun: (step: number) => Promise<void>,
    own?: Float32Array,
  ): Promise<Float32Array> {
    const size = sizeOf(this.#data.sample);
    let draw = 0;
    const noise = () => {
      const eps = new Float32Array(this.#batch * size);
      sampleNoise(eps, { seed, draw: draw++, first, size });
      return eps;
    };
    const { sigmaMax, startScale = sigmaMax, steps } = this.#sampler;
    const [samples] = this.#states.names;
    const start = noise();
    if (own) start.set(own);
    this.#memory.write(
      samples,
      start.map((eps) => startScale * eps),
    );
    for (const [step, { rule, values }] of steps.entries()) {
      await begun(step);
      await breathe();
      const { run, scalars, noises } = this.#rules.get(rule)!;
      const inputs: Record<string, HostArray> = { ...condition, scalars: scalars.encode(values) };
      for (const name of noises) inputs[name] = noise();
      await run.run(inputs);
    }
    return this.#read();
  }

  #trace(player: Player<Denoiser>, copy: Copy, rule: SamplerRule) {
    const { network } = player.bind(copy);
    const condition = conditionInputs(this.#data.condition, "prompt", this.#batch);
    // Told another level, it would take a state on the way for the noise that it begins with.
    if (network.startsOnly && this.#sampler.steps.length > 1)
      throw failure(
        "E_CONFIG",
        `Cannot draw samples of the ${player.name} in ${this.#sampler.steps.length} steps: it answers at its first noise level alone, whatever level a step tells it`,
        { fix: "leave the sampler out: it then draws as it was trained, in one call" },
      );
    const denoise: Parameters<typeof traceRule>[2] = (x, sigma, told) =>
      network.denoise(x, sigma, { ...condition, ...told });
    const { updates, ...traced } = traceRule(rule, this.#states, denoise, network.calls);
    return { step: program({ name: `${player.name} ${rule.name}`, updates }), ...traced };
  }

  dispose(): void {
    for (const { run } of this.#rules.values()) run.dispose();
    this.#rules.clear();
  }
}

function checkNoise(noise: Float32Array | undefined, count: number, sample: readonly number[]): void {
  const size = count * sizeOf(sample);
  if (noise && noise.length !== size)
    throw failure(
      "E_OPTION",
      `Cannot draw ${count} samples: the noise has ${noise.length} numbers, should have ${size}, ${sizeOf(sample)} for each`,
    );
}

/** Every entry of the condition of `count` samples. */
function wholeCondition(shape: DataShape["condition"], given: Batch["condition"], count: number): Batch["condition"] {
  const refuse = (why: string) => failure("E_OPTION", `Cannot draw ${count} samples: ${why}`);
  const strange = Object.keys(given).find((name) => !Object.hasOwn(shape, name));
  if (strange !== undefined)
    throw refuse(`the model knows no ${strange}, expected ${Object.keys(shape).join(", ") || "no condition"}`);
  const entries = Object.entries(shape).map(([name, { shape: each, classes }]) => {
    const values = given[name] ?? (classes && Int32Array.from({ length: count }, (_, i) => i % classes));
    if (!values) throw refuse(`there is no ${name}, expected one for each`);
    const width = sizeOf(each);
    if (values.length !== count * width)
      throw refuse(`there are ${values.length / width} of ${name}, expected one for each`);
    const outside = classes && values.find((value) => value < 0 || value >= classes);
    if (outside !== undefined) throw refuse(`one has ${name} ${outside}, classes are 0 to ${classes! - 1}`);
    return [name, values] as const;
  });
  return Object.fromEntries(entries);
}
