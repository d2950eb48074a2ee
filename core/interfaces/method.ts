import { type Token, token } from "../di/token.ts";
import type { Role } from "./role.ts";
import type { Sampler } from "./sampler.ts";

/** One update: who learns, and on which generated images. */
export interface Turn {
  readonly role: string;
  /** Whether the losses see images made in this turn, or those that an earlier turn of the step kept; "made" by default. */
  readonly images?: "made" | "kept";
  /** Whether it keeps its images for later turns of the step. */
  readonly keeps?: boolean;
  /** It is left out until another role has learned enough; never where absent. It keeps no images. */
  readonly waits?: Waits;
}

/**
 * What a turn waits for: the loss of another role, a mean of its latest values, is near the least that it has been. That is decided from
 * values of updates alone, and kept in checkpoints.
 */
export interface Waits {
  /** Who learns, and by which loss. */
  readonly role: string;
  readonly loss: string;
  /** How far above its least the loss may be, as a share of it. */
  readonly above: number;
  /** Updates of that role between two of these turns, at least and at most. */
  readonly least: number;
  readonly most: number;
}

/** A stretch of a run in which the same roles take turns. */
export interface Stage {
  /** Unique in its method; names checkpoints and shows in progress: "distillation", "round 3". */
  readonly name: string;
  /** 0 trains nothing; the weights of its learners are written all the same. */
  readonly steps: number;
  /** Samples that an update sees. */
  readonly batch: number;
  /** The turns of step i are those of cycle[i mod length]. */
  readonly cycle: readonly (readonly Turn[])[];
  /** Who takes part: whom losses can ask for, and whose states a checkpoint keeps from here on. All roles by default. */
  readonly roles?: readonly string[];
  /**
   * Role ← role whose served weights it takes when the stage begins, by `Role.inherits`. A role that joins here and is not
   * named starts from the seed. All are read before the first is written, so that roles may exchange weights.
   */
  readonly begins?: Readonly<Record<string, string>>;
  /** How samples of its roles are drawn while it is on, where that is not how `Method.samplers` draws them at the end. */
  readonly samplers?: Readonly<Record<string, Sampler>>;
  /** Numbers that losses of the stage ask for by name, such as the steps that the generator of a round takes. */
  readonly numbers?: Readonly<Record<string, number>>;
}

/** A way to distil: who plays, in which stages, in which cycle of turns. */
export interface Method {
  readonly name: string;
  /** Every network that takes part. Their order decides which random streams they draw from. */
  readonly roles: Readonly<Record<string, Role>>;
  readonly stages: readonly Stage[];
  /** The role that makes the generated images, where losses see some. */
  readonly maker?: string;
  /** How samples of a role are drawn. These roles are judged, in this order. */
  readonly samplers: Readonly<Record<string, Sampler>>;
}

/** The method of a run. */
export const METHOD: Token<Method> = token<Method>("method");

/** From the config, for a method to make its stages of: the length of the run, and the roles that start from a file. */
export interface TrainLength {
  readonly steps: number;
  readonly batch: number;
  /** Roles whose weights a file gives. */
  readonly started: readonly string[];
}
/** Steps and batch of the run, as `train` of its config says. */
export const TRAIN_LENGTH: Token<TrainLength> = token<TrainLength>("train length");
