import type { HealthEased, HealthWarning } from "../health/warnings.ts";
import type { LeftOut } from "../update/leftOut.ts";
import type { Command } from "./control.ts";

/**
 * A number still on the device. Reading it is a sync point, so only a listener that wants it pays; it may be read until the
 * next event of the same type and role.
 */
export interface Scalar {
  read(): Promise<number>;
}

/** Scalars by name: losses, and what the trainer reports beside them, such as gradient norms. */
export type Scalars = Readonly<Record<string, Scalar>>;

/** Samples still on the device, read on demand like a Scalar. Row-major, first dimension the batch. */
export interface Samples {
  readonly shape: readonly number[];
  read(): Promise<Float32Array>;
}

/** Everything that can happen in a run, in order of appearance. `step` counts the steps of a stage from 0. */
export interface TrainEvents {
  /** Nothing has been computed yet; `config` is resolved, so that it repeats the run. */
  "run/start": {
    readonly seed: number;
    /** Of all stages together. */
    readonly steps: number;
    readonly stages: readonly { readonly name: string; readonly steps: number }[];
    readonly device: string;
    /** Bytes that the plan expects on the device at most; absent in what told of runs before. */
    readonly plannedBytes?: number;
    readonly config: Readonly<Record<string, unknown>>;
  };
  /** A command took effect before this step (pause and resume: possibly within it). */
  "control/received": { readonly step: number; readonly command: Command };
  /** A role has had its turn. */
  "role/updated": {
    readonly stage: string;
    readonly role: string;
    readonly step: number;
    readonly losses: Scalars;
  };
  /**
   * An update of a role was not finite and has been left out. Its step may be a few steps behind those told of last, as the
   * device is not waited for.
   */
  "role/left-out": LeftOut;
  /** The run goes on from the checkpoint at this step, its learning rates multiplied by `rate` from now on. */
  "run/rolled-back": { readonly stage: string; readonly step: number; readonly rate: number };
  /** What else is worth watching about the update that follows: see `diagnosis`. Every `train.diagnoseEvery` steps. */
  "role/diagnosed": {
    readonly stage: string;
    readonly role: string;
    readonly step: number;
    readonly values: Scalars;
  };
  /** What the monitors of the run's health look at: see `Reading`. About fifty times in a stage. */
  "health/read": {
    readonly stage: string;
    readonly step: number;
    readonly steps: number;
    readonly values: Readonly<Record<string, number>>;
  };
  /** What the run holds on its device: states and programs, in bytes. Told with the readings above. */
  "device/read": { readonly stage: string; readonly step: number; readonly bytes: number };
  /** A monitor has found something wrong, and had not at the reading before. */
  "health/warned": HealthWarning;
  /** It finds nothing any more. */
  "health/eased": HealthEased;
  /** A balancer has changed the factor of a loss, from the next update on. */
  "loss/reweighted": { readonly step: number; readonly loss: string; readonly weight: number };
  /** All turns of the step are done; `ms` is the time they took, pauses excluded. */
  "step/end": { readonly stage: string; readonly step: number; readonly ms: number };
  /** `role` drew samples with `nfe` denoiser calls each; `step` counts on from one of its stages to the next. */
  "sample/drawn": {
    readonly step: number;
    readonly role: string;
    readonly nfe: number;
    readonly samples: Samples;
  };
  /** Every metric of the config has looked at a set of samples; `nfe` is 0 for real data. */
  "samples/judged": {
    /** "data", or a role. */
    readonly who: string;
    readonly nfe: number;
    readonly count: number;
    readonly metrics: Readonly<Record<string, number>>;
  };
  /**
   * The learner of a stage was judged while the stage is on, see `train.evaluateEvery`; `step` steps of it are done, and it took so
   * many `seconds`. `best` says whether its weights were kept as the best so far.
   */
  "learner/judged": {
    readonly stage: string;
    readonly role: string;
    readonly step: number;
    readonly nfe: number;
    readonly count: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly seconds: number;
    readonly best: boolean;
  };
  /** How far work outside of the steps is, such as drawing and judging samples; many of these come. It counts samples, or `unit`. */
  "work/progressed": { readonly what: string; readonly done: number; readonly total: number; readonly unit?: string };
  "checkpoint/saved": { readonly step: number; readonly path: string; readonly bytes: number };
  /**
   * The device was lost when `lost.step` steps of a stage were done. It has been opened again, and the run goes on from `step`,
   * which its newest checkpoint stands for, or anew where there is none; it tells of steps that are done again once more.
   */
  "device/lost": {
    readonly stage: string;
    readonly step: number;
    readonly lost: { readonly stage: string; readonly step: number };
    readonly reason: string;
    /** The checkpoint's file. */
    readonly path?: string;
  };
  /** Something the run survives; `source` is the plugin or listener it comes from. */
  "run/warning": { readonly source: string; readonly message: string };
  /** The run cannot go on. `run/end` still follows. */
  "run/failed": { readonly step: number; readonly error: Error };
  /** The last event; `steps` is how many steps are complete. */
  "run/end": { readonly steps: number; readonly reason: "complete" | "stopped" | "failed" };
}

/** The names of all events. */
export type EventType = keyof TrainEvents;

/** The event of a type: its payload and its name. */
export type EventOf<K extends EventType> = { readonly type: K } & Readonly<TrainEvents[K]>;

/** Any event, told apart by `type`. */
export type TrainEvent = { [K in EventType]: EventOf<K> }[EventType];
