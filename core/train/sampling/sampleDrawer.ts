import { failure } from "../../errors.ts";
import { program } from "../../graph/mod.ts";
import type { Backend, Executable, HostArray, Memory } from "../../interfaces/backend.ts";
import type { DataShape, Dataset, Description } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import type { Sampler, SamplerRule } from "../../interfaces/sampler.ts";
import { input } from "../../ops/mod.ts";
import { sampleNoise } from "../../random/hostRandom.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { textArrays, textInputs } from "../batch/conditionInputs.ts";
import type { Player } from "../update/player.ts";
import { type SamplerStates, samplerStates, type TracedRule, traceRule } from "./samplerProgram.ts";

/** Samples on the host, with what they cost. */
export interface Drawn {
  /** [count, …] */
  readonly shape: readonly number[];
  readonly x: Float32Array;
  readonly label: Int32Array;
  /** Denoiser calls each sample took. */
  readonly nfe: number;
}

/** What to draw. */
export interface DrawRequest {
  readonly count: number;
  readonly seed: number;
  /** The class of every sample; index mod classes when absent. */
  readonly label?: Int32Array;
  /** What each sample is to show, and what guidance leads away from; for models of text. */
  readonly described?: Description;
  readonly unconditional?: Dataset["unconditional"];
}

/** How many of so many samples are computed at a time: a hundred images, more points or other vectors. */
export const drawBatch = ({ sample }: DataShape, count: number): number =>
  Math.min(count, sample.length === 1 ? 10_000 : 100);

/** A rule of the sampler, ready to run. */
interface CompiledRule extends Omit<TracedRule, "updates"> {
  readonly run: Executable;
}

/**
 * Draws samples from a role with a sampler. Compiles one program per rule and replays it; samples stay on
 * the device from step to step. Noise is drawn on the host, a stream a sample: sample i of a seed does not depend on the
 * device, on how many are drawn, or on how many at a time.
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
  ): Promise<SampleDrawer> {
    const drawer = new SampleDrawer(sampler, data, batch, memory);
    for (const name of drawer.#states.names) memory.allocate(name, batch * sizeOf(data.sample));
    for (const rule of new Set(sampler.steps.map((step) => step.rule)))
      await drawer.#compile(backend, player, rule);
    return drawer;
  }

  /** Denoiser calls for one sample. */
  get nfe(): number {
    return this.#sampler.steps.reduce((sum, { rule }) => sum + this.#rules.get(rule)!.nfe, 0);
  }

  /** Whether a sample follows from its first noise alone. */
  get deterministic(): boolean {
    return [...this.#rules.values()].every(({ noises }) => noises.length === 0);
  }

  /** @throws OptionError when the labels are not those of `count` samples */
  async draw({ count, seed, label, ...texts }: DrawRequest): Promise<Drawn> {
    const { classes, sample, text } = this.#data;
    if (text && !texts.described)
      throw failure(
        "E_OPTION",
        `Cannot draw ${count} samples: there are no texts, expected one each for a model of text`,
      );
    const size = sizeOf(sample);
    const labels =
      label ?? Int32Array.from({ length: count }, (_, i) => (classes ? i % classes : 0));
    this.#checkLabels(labels, count);
    const x = new Float32Array(count * size);
    for (let first = 0; first < count; first += this.#batch) {
      const batchLabel = new Int32Array(this.#batch);
      batchLabel.set(labels.subarray(first, first + this.#batch));
      const described = textArrays(text, "prompt", texts, { first, size: this.#batch });
      const done = await this.#portion(seed, first, { ...described, label: batchLabel });
      x.set(done.subarray(0, Math.min(this.#batch, count - first) * size), first * size);
    }
    return { shape: [count, ...sample], x, label: labels, nfe: this.nfe };
  }

  #checkLabels(labels: Int32Array, count: number): void {
    const { classes } = this.#data;
    if (labels.length !== count)
      throw failure(
        "E_OPTION",
        `Cannot draw ${count} samples: there are ${labels.length} labels, expected one each`,
      );
    const strange = labels.find((label) => label < 0 || label >= Math.max(classes, 1));
    if (strange !== undefined)
      throw failure(
        "E_OPTION",
        `Cannot draw samples of class ${strange}: ${classes ? `classes are 0 to ${classes - 1}` : "the data have no classes"}`,
      );
  }

  /** Samples first, first + 1, …, a batch of them. */
  async #portion(
    seed: number,
    first: number,
    { label, ...described }: Record<string, HostArray>,
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
    this.#memory.write(
      samples,
      noise().map((eps) => startScale * eps),
    );
    for (const { rule, values } of steps) {
      const { run, scalars, noises } = this.#rules.get(rule)!;
      const inputs: Record<string, HostArray> = { ...described, scalars: scalars.encode(values) };
      if (this.#data.classes) inputs.label = label;
      for (const name of noises) inputs[name] = noise();
      await run.run(inputs);
    }
    return (await this.#memory.read(samples)) as Float32Array;
  }

  async #compile(backend: Backend, player: Player<Denoiser>, rule: SamplerRule): Promise<void> {
    const { network } = player.bind("served");
    const condition = {
      ...(this.#data.classes && { label: input("label", [this.#batch], "i32") }),
      ...textInputs(this.#data.text, "prompt", this.#batch),
    };
    const { updates, ...traced } = traceRule(rule, this.#states, (x, sigma) =>
      network.denoise(x, sigma, condition),
    );
    const step = program({ name: `${player.name} ${rule.name}`, updates });
    this.#rules.set(rule, { run: await backend.compile(step, this.#memory), ...traced });
  }

  dispose(): void {
    for (const { run } of this.#rules.values()) run.dispose();
    this.#rules.clear();
  }
}
