import { choice, number, type OptionsOf, optional, record, text } from "../../plugin/mod.ts";

const count = { integer: true, min: 0 } as const;
const storages = ["f32", "f16"] as const;

/** The `train` section of a config: numbers of a run that belong to no plugin. */
export const trainOptions = {
  seed: number({
    default: 0,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    integer: true,
    about: "every random draw of the run follows from it",
  }),
  steps: number({
    default: 1000,
    ...count,
    about: "steps of the distillation, or of all its stages together: each a turn of the cycle",
  }),
  batch: number({ default: 32, min: 1, integer: true, about: "samples an update sees" }),
  accumulate: number({
    default: 1,
    min: 1,
    integer: true,
    about: "parts in which the gradient of a batch is gathered, for less memory; divides the batch",
  }),
  sumOrder: choice(["fixed", "library"], {
    default: "fixed",
    about:
      "how several processes add up their gradients: fixed gives the bits of one process with as many parts, library what is fastest",
  }),
  checkpointing: choice(["none", "blocks"], {
    default: "none",
    about: "whose values are computed again for the gradient instead of being kept, for less memory",
  }),
  precision: record(choice(storages), {
    default: {},
    about:
      "by role, what the values inside its network are kept in where the device can; f32 unless named, and always for weights and losses",
  }),
  weights: record(choice(["f32", "f16", "bf16"]), {
    default: {},
    about:
      "by role, what matrices and kernels are kept in that no update moves, such as those of a teacher with weights; f32 unless named",
  }),
  lossScale: number({
    default: 0,
    min: 0,
    about: "factor of the losses while a network is in f16, against gradients too small for it; 0 adapts it",
  }),
  nonFinite: choice(["stop", "skip", "rollback"], {
    default: "stop",
    about:
      "what to do when an update is NaN or infinite, which is left out: end the run, go on, or go back to the last checkpoint with half the learning rates",
  }),
  diagnoseEvery: number({
    default: 0,
    ...count,
    about: "steps between two looks inside the updates; 0 takes none",
  }),
  logEvery: number({
    default: 50,
    min: 1,
    integer: true,
    about: "steps between two log lines with losses",
  }),
  sampleEvery: optional(number(count), {
    about: "steps between two pictures of samples; 0 draws none; without it up to four, for 2 % of a stage's work",
  }),
  drawBatch: optional(number({ min: 1, integer: true }), {
    about: "samples that are drawn at a time, for less memory; 100 images or 10000 points without it",
  }),
  checkpointEvery: number({
    default: 0,
    ...count,
    about: "steps between two checkpoints, besides those by the clock; 0 adds none",
  }),
  checkpointMinutes: number({
    default: 5,
    min: 0,
    about: "minutes between two checkpoints; 0 leaves it to checkpointEvery",
  }),
  keep: number({
    default: 3,
    min: 1,
    integer: true,
    about: "checkpoints that stay on the disk; fewer where it is full, one when the run is complete",
  }),
  evaluateCount: number({
    default: 1000,
    min: 1,
    max: 10_000_000,
    integer: true,
    about: "samples per set when the run is judged",
  }),
  evaluateEvery: number({
    default: 0,
    ...count,
    about: "steps between two judgings of the learner while a stage is on, and one at its end; 0 has none",
  }),
  evaluateEveryCount: number({
    default: 500,
    min: 1,
    max: 10_000_000,
    integer: true,
    about: "samples of each of these",
  }),
  keepBest: text({
    default: "",
    about:
      "number of a metric whose best value keeps the weights, beside the last, as ROLE-best.safetensors; NAME:largest or NAME:smallest say which is best",
  }),
};

/** The `train` section, complete. */
export type RunSettings = OptionsOf<typeof trainOptions>;

/** The part of it that changes what updates compute. */
export type TrainSettings = Pick<RunSettings, "seed"> &
  Partial<
    Pick<
      RunSettings,
      "accumulate" | "checkpointing" | "precision" | "weights" | "lossScale" | "nonFinite" | "diagnoseEvery"
    >
  >;
