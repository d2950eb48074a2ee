import { type ListToken, listToken } from "../di/token.ts";
import type { NoiseSource } from "../diffusion/noiseSource.ts";
import type { FrozenWeights } from "../nn/frozen.ts";
import type { Shape } from "../tensor/shape.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";
import type { HostArray } from "./backend.ts";
import type { Condition } from "./condition.ts";
import type { CriticNetwork } from "./critic.ts";
import type { Denoiser } from "./denoiser.ts";
import type { GeneratorNetwork } from "./generator.ts";
import type { Stage } from "./method.ts";

/** Images with what they show. */
export interface Images {
  /** [B, …] */
  readonly x: Tensor;
  readonly condition: Condition;
}

/** Levels [B] and noise [B, …] in which generated samples are seen. */
export interface Draw {
  readonly sigma: Tensor;
  readonly eps: Tensor;
}

/**
 * What a loss can see. Only the parameters of the loss's own role get a gradient; everything else is frozen.
 * Values are made when first asked for, so a loss that does not look at real images costs no upload.
 */
export interface LossContext {
  /**
   * A role of the stage by its name: a learner of the stage through its raw weights, every other role through its served
   * ones. Throws E_CONFIG for a role that does not take part.
   */
  role<T = Denoiser>(name: string): T;
  /**
   * A role through a running average of its weights, without a gradient: the one with that label, or the served one.
   * Throws E_CONFIG where the config keeps none.
   */
  average<T = Denoiser>(name: string, label?: string): T;
  /** The role `generator`. */
  readonly generator: GeneratorNetwork;
  /** The role `teacher`. */
  readonly teacher: Denoiser;
  /** The role `critic`. */
  readonly critic: CriticNetwork;
  /** The maker's images; differentiable in the maker's own turn, detached in all others. */
  readonly generated: Images;
  /** A batch of the dataset. */
  readonly real: Images;
  /** A batch of the loss's own samples by the names of their tensors, [B, …], where it brings some. */
  readonly own?: Readonly<Record<string, Tensor>>;
  /** Every draw of a loss comes from here, so that a run repeats. */
  readonly noise: NoiseSource;
  /** What one loss of the turn leaves for those after it. */
  readonly shared: { draw?: Draw };
  /** The stage that is on. */
  readonly stage: Pick<Stage, "name" | "numbers">;
  /** Takes a number that is worth watching beside the loss, a tensor with one element; it never changes the update. */
  report?(name: string, value: Tensor): void;
}

/**
 * Samples that a loss brings along, such as stored pairs. Like a dataset it holds no position: all randomness comes in, so a
 * resumed run repeats.
 */
export interface OwnSamples {
  /** What a sample consists of: shapes without the batch axis. */
  readonly tensors: Readonly<Record<string, { readonly shape: Shape; readonly dtype: DType }>>;
  /**
   * Draws so many samples at random, with replacement; each tensor [count, …]. `random` gives independent uniform numbers in
   * [0, 1) and is called a fixed number of times per sample.
   */
  batch(count: number, random: () => number): Readonly<Record<string, HostArray>>;
}

/** One term of a role's objective. */
export interface Loss {
  /** Shown in progress and event log. */
  readonly name: string;
  /** Who learns from it. */
  readonly role: string;
  /** Factor in the role's total; 0 removes the term from the graph. */
  readonly weight: number;
  /** The numbers of a generator (`Generator.draws`) whose meaning it teaches. */
  readonly heeds?: readonly string[];
  /** Those beside which it is right whatever they mean. */
  readonly bears?: readonly string[];
  /** Samples of its own; every update feeds it a batch of them. */
  readonly own?: OwnSamples;
  /**
   * The side that it takes in a game of two roles: one fools a judge, who learns by another loss. A run refuses who fools a judge that
   * learns nothing.
   */
  readonly game?: { readonly name: string; readonly side: "fools" | "judges" };
  /** Weights of frozen networks that it computes with. The trainer stores them once for all programs, after `load`. */
  frozen?(): readonly FrozenWeights[];
  /** Reads the files it needs; awaited once, before anything is traced, unless the weight is 0. */
  load?(): Promise<void>;
  /**
   * Refuses a teacher it was not made for; called before the first stage in which its role learns.
   * @param fingerprint as `teacherFingerprint` gives it
   */
  checkTeacher?(fingerprint: string): void;
  /** A tensor with one element. */
  compute(context: LossContext): Tensor;
}

/** Every loss of the run, in the order of its config. */
export const LOSSES: ListToken<Loss> = listToken<Loss>("losses");
