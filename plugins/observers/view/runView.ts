/** What there is to see of a run, as plain data: the live view sends it to a page, and reports are made of it. */
import type { HealthWarning, Judgement } from "../../../core/train/mod.ts";
import type { ReferenceView } from "./reference.ts";
import type { Stretch } from "./thinnedCourse.ts";

/**
 * How a run stands. `waiting`: its folder is there and nothing has happened yet. `silent`: its log ends without a word and nobody
 * trains in the folder, so it was killed or the machine went down.
 */
export type RunState = "waiting" | "running" | "paused" | "complete" | "stopped" | "failed" | "silent";

/** A stage and how far it is. */
export interface StageView {
  readonly name: string;
  readonly steps: number;
  readonly done: number;
}

/** The numbers at the head of a page. */
export interface RunHead {
  readonly state: RunState;
  /** Why it failed: `code: message`. */
  readonly fault?: string;
  readonly device?: string;
  readonly seed?: number;
  readonly stages: readonly StageView[];
  /** The stage that is on, or was last. */
  readonly stage?: string;
  /** Seconds since the last start, up to the last event. */
  readonly seconds?: number;
  /** Steps per second of the stage, of late. */
  readonly rate?: number;
  /** Network calls per second of the stage, of late; each is of one sample. */
  readonly callRate?: number;
  /** Seconds that are left of the stage. */
  readonly left?: number;
  /** Bytes that the run takes on its device: now, and the most that was planned. */
  readonly memory?: number;
  readonly plannedMemory?: number;
  /** How often the run was started. */
  readonly sessions: number;
  /** Lines of the log that are no events. */
  readonly damaged: number;
}

/** What a curve shows, which decides its unit and its scale. */
export type CurveKind = "loss" | "gradient" | "diagnosis" | "metric" | "time" | "memory" | "weight";

/** A curve of a run. */
export interface CurveView {
  /** `stage, role, name`: the same for the same curve of another run. */
  readonly key: string;
  readonly kind: CurveKind;
  readonly stage: string;
  /** Empty for what is of no role. */
  readonly role: string;
  readonly name: string;
  readonly stretches: readonly Stretch[];
}

/** How grave a note is. */
export type NoteLevel = "severe" | "warning" | "info";

/** Something that happened, for the list of events. */
export interface NoteView {
  readonly level: NoteLevel;
  /** Seconds since the start of its session. */
  readonly at: number;
  readonly text: string;
}

/** A warning of a monitor. */
export interface WarningView extends HealthWarning {
  /** The step at which it was over; undefined while it is on. */
  readonly until?: number;
}

/** A picture of samples, in the run's folder of them. */
export interface PictureView {
  readonly file: string;
  readonly role: string;
  readonly step: number;
  /** Milliseconds since 1970; another one when the picture was drawn anew. */
  readonly version: number;
}

/** A loss whose weight can be changed. */
export interface WeightView {
  readonly loss: string;
  readonly weight: number;
}

/** All of a run but its curves; each part is sent when it has changed. */
export interface RunParts {
  readonly head: RunHead;
  readonly config: Readonly<Record<string, unknown>>;
  readonly warnings: readonly WarningView[];
  readonly notes: readonly NoteView[];
  readonly judgements: readonly Judgement[];
  readonly pictures: readonly PictureView[];
  readonly weights: readonly WeightView[];
  /** What its curves are compared with, where a preset is like it. */
  readonly reference?: ReferenceView;
}

/** A run, whole. */
export interface RunView extends RunParts {
  readonly curves: readonly CurveView[];
}
