import type { Shape } from "../../tensor/shape.ts";

/** Samples drawn while a stage is on, where the run says how often. */
export const SAMPLES = 100;
/** Images drawn where it does not: four rows. */
const FEW = 40;
/** The most of a stage's work that goes into pictures nobody has asked for, and the most of these. */
const [SHARE, MOST] = [0.02, 4];
/** A gradient costs about as much as two more calls of the network. */
const CALLS_OF_UPDATE = 3;

/** What decides the pictures of a stage. */
export interface PreviewedStage {
  readonly steps: number;
  readonly batch: number;
  /** Steps of the sampler; each calls the network at most twice. */
  readonly samplerSteps: number;
  /** Of a sample. */
  readonly sample: Shape;
  /** `train.sampleEvery`. */
  readonly every: number | undefined;
}

/** Pictures of a stage: how many samples each has, and after how many steps they are drawn. */
export interface Previews {
  readonly count: number;
  isDue(done: number): boolean;
}

/**
 * When samples are drawn while a stage is on: every so many steps, or where nothing is said after a half, a quarter, an eighth and
 * a sixteenth of it, as far as that costs no more than 2 % of the stage. Undefined where none are.
 */
export function previewsOf({ steps, batch, samplerSteps, sample, every }: PreviewedStage): Previews | undefined {
  if (every !== undefined) {
    if (every === 0 || every >= steps) return undefined;
    return { count: SAMPLES, isDue: (done) => done % every === 0 };
  }
  const count = sample.length === 3 ? FEW : SAMPLES;
  const each = 2 * samplerSteps * count;
  const number = Math.min(MOST, Math.floor((SHARE * CALLS_OF_UPDATE * steps * batch) / each));
  if (number === 0) return undefined;
  const due = new Set(Array.from({ length: number }, (_, i) => Math.round(steps / 2 ** (i + 1))));
  return { count, isDue: (done) => due.has(done) };
}
