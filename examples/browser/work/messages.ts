/** What the page and its workers say to each other. Everything here can be cloned. */

/** Ways to compute, the best first. */
export const ways = ["webgpu", "threads", "thread", "reference"] as const;
export type Way = (typeof ways)[number];

/** What a worker computes on, and why on nothing better. */
export interface DeviceReport {
  readonly way: Way;
  /** Of the adapter, or what WebAssembly has. */
  readonly name: string;
  /** The ways that were passed over, each with the reason, in a sentence without its full stop. */
  readonly passed: readonly { readonly way: Way; readonly why: string }[];
}

/** Whose digits: the teacher's weights are fetched when they are first asked for. */
export type Role = "generator" | "teacher";

/** What a role's weights say of it. */
export interface RoleReport {
  /** Bytes that were fetched for it, packed. */
  readonly bytes: number;
  /** The scales of guidance that it can be told, where it can be told one. */
  readonly guidance?: { readonly usual: number; readonly least: number; readonly most: number };
}

/** Digits to draw: digit i of class `labels[i]` from noise `first + i` of seed `seeds[i]`. */
export interface DrawRequest {
  readonly role: Role;
  /** 0 by default. */
  readonly first?: number;
  readonly labels: readonly number[];
  readonly seeds: readonly number[];
  /** Part of the way, 0 to 1, to noise i of seed `toward[i]`: along the arc between the two, on which all noise is as likely. */
  readonly toward?: readonly number[];
  readonly part?: number;
  /** Told to a role that can be told a scale. */
  readonly guidance?: number;
  /** Whether states on the way are wanted as well, which takes longer. */
  readonly watch?: boolean;
}

/** Digits, row-major [count, 16, 16], from -1 (paper) to 1 (ink). */
export interface DrawResult {
  readonly x: Float32Array;
  readonly nfe: number;
  /** Milliseconds from noise to digits in memory. */
  readonly ms: number;
  /** The digits as each step of the sampler began, where they were watched. */
  readonly states: readonly Float32Array[];
}

/** Whether a worker of the ring goes on by itself. */
export type Pausing = "pause" | "resume" | "stop";

/** What of a worker can be called, by name; each call resolves or rejects. */
export interface Calls {
  /** Opens the best way, or this one where it can be had; what was open is closed. */
  open: { argument: Way | undefined; result: DeviceReport };
  load: { argument: Role; result: RoleReport };
  draw: { argument: DrawRequest; result: DrawResult };
  /** Trains the ring to its end, or to a stop. */
  train: { argument: { readonly seed: number }; result: TrainResult };
  control: { argument: Pausing; result: undefined };
}

/** How a training ended. */
export interface TrainResult {
  readonly reason: "complete" | "stopped";
  /** What the metric says of real points, teacher and generator. */
  readonly judgements: readonly {
    readonly who: string;
    readonly nfe: number;
    readonly metrics: Readonly<Record<string, number>>;
  }[];
}

/** What a worker tells without being asked. */
export type News =
  | { readonly kind: "device"; readonly report: DeviceReport; readonly lost: string }
  | { readonly kind: "fetched"; readonly role: Role; readonly done: number; readonly total: number }
  | { readonly kind: "real"; readonly points: Float32Array }
  | {
      readonly kind: "frame";
      readonly stage: string;
      readonly role: string;
      readonly step: number;
      readonly steps: number;
      readonly nfe: number;
      /** Samples, [count, 2]. */
      readonly points: Float32Array;
      /** The share of them within two standard deviations of a mode; of real points 0.865. */
      readonly share: number;
    };
