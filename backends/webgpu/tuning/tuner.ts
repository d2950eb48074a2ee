import { OnestepError } from "../../../core/errors.ts";
import type { Program } from "../../../core/graph/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { DeviceTraits } from "../adapter/traits.ts";
import type { KernelVariant, Lowering } from "../kernel.ts";
import type { ForcedVariants } from "../variants.ts";
import { calibrate, compare, fastest, perRun, type Sample } from "./measure.ts";
import { isolated, signatureOf } from "./signature.ts";
import type { ChoiceStore } from "./store.ts";
import type { WarmUpProgress } from "./warmUp.ts";

/** A program whose runs can be timed. */
export interface Trial {
  /** Milliseconds from submitting so many runs at once to their end. */
  time(runs: number): Promise<number>;
  dispose(): void;
}

/** The parts of the backend that the tuner uses. */
export interface TunerOptions {
  readonly lowerings: readonly Lowering[];
  readonly traits: DeviceTraits;
  /** Variants that a caller asked for by name: there is nothing to choose. */
  readonly forced?: ForcedVariants;
  readonly store: ChoiceStore;
  readonly measures: boolean;
  /** Compiles a program with variants by op. @throws OnestepError when the device can't run it */
  trial(program: Program, variants: ForcedVariants): Promise<Trial>;
  /** Milliseconds of a submit without work. */
  empty(): Promise<number>;
  readonly tell?: (progress: WarmUpProgress) => void;
}

/** Chooses between the variants of kernels by what they take on this device. */
export class Tuner {
  readonly #options: TunerOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TunerOptions) {
    this.#options = options;
  }

  /** The variant that is best for a node, as far as that is known. */
  chosen(node: Tensor): string | undefined {
    return this.#options.store.get(signatureOf(node))?.variant;
  }

  /** Measures what `chosen` does not know yet of a program's nodes, if that is what it is for; one program at a time. */
  prepare(program: Program): Promise<void> {
    if (!this.#options.measures) return Promise.resolve();
    const work = this.#last.then(() => this.#measureAll(program));
    this.#last = work.catch(() => {});
    return work;
  }

  async #measureAll(program: Program): Promise<void> {
    const { store, tell = () => {}, empty } = this.#options;
    const unknown = new Map<string, Tensor>();
    for (const step of program.plan.steps) {
      if (step.kind !== "kernel" || this.#fitting(step.node).length < 2) continue;
      const signature = signatureOf(step.node);
      if (!store.get(signature)) unknown.set(signature, step.node);
    }
    if (unknown.size === 0) return;
    let done = 0;
    const progress = () => tell({ program: program.name, what: "variants", done: done++, total: unknown.size });
    progress();
    const idle = Math.min(await empty(), await empty(), await empty());
    for (const [signature, node] of unknown) {
      const ms = await this.#timesOf(node, idle);
      const variant = fastest(ms);
      if (variant) store.set(signature, { variant, ms: Object.fromEntries(ms) });
      progress();
    }
    await store.save();
  }

  #fitting(node: Tensor): readonly KernelVariant[] {
    const { lowerings, traits, forced = {} } = this.#options;
    const op = node.op.name;
    if (Object.hasOwn(forced, op)) return [];
    const variants = lowerings.find((each) => each.op === op)?.variants ?? [];
    return variants.filter((variant) => variant.supports(node, traits));
  }

  /** Milliseconds by variant, the preferred first, without those that the device can't run. */
  async #timesOf(node: Tensor, empty: number): Promise<Map<string, number>> {
    const samples = new Map<string, Sample>();
    const trials: Trial[] = [];
    try {
      for (const { name } of this.#fitting(node)) {
        const trial = await this.#trial(node, name);
        if (!trial) continue;
        trials.push(trial);
        const sample = await calibrate(trial.time);
        samples.set(name, sample);
        // When the preferred one is too short to tell, nothing is worth more trials.
        if (samples.size === 1 && perRun(sample, empty) === 0) break;
      }
      await compare([...samples.values()], empty);
      return new Map([...samples].map(([name, sample]) => [name, perRun(sample, empty)]));
    } finally {
      for (const trial of trials) trial.dispose();
    }
  }

  /** A node on its own in a variant; undefined when the device can't run it. */
  async #trial(node: Tensor, variant: string): Promise<Trial | undefined> {
    try {
      return await this.#options.trial(isolated(node), { [node.op.name]: variant });
    } catch (error) {
      const { code } = error as OnestepError;
      if (error instanceof OnestepError && ["E_DEVICE_LIMIT", "E_KERNEL"].includes(code)) return undefined;
      throw error;
    }
  }
}
