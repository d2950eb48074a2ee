import { failure } from "../../errors.ts";
import { boolean, choice, group, number, parseOptions } from "../../plugin/mod.ts";
import type { TrainSettings } from "../update/trainer.ts";

/** Numbers that change what a run reports, not what it computes. */
export interface RunSettings {
  /** Steps between two lines of the event log that carry losses. */
  readonly logEvery: number;
  /** Steps between two sample grids; 0 draws none. */
  readonly sampleEvery: number;
  /** Steps between two checkpoints; 0 keeps only the last. */
  readonly checkpointEvery: number;
  /** Samples per set when the run is judged. */
  readonly evaluateCount: number;
}

const storages = ["f32", "f16"] as const;
const count = { integer: true, min: 0 } as const;
const specs = {
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
    about: "turns of the schedule: critic updates, unless the turns are exclusive",
  }),
  batch: number({ default: 32, min: 1, integer: true, about: "images an update sees" }),
  ttur: group(
    {
      critic: number({
        default: 5,
        min: 1,
        integer: true,
        about: "critic updates of a cycle; 5 in the DMD2 paper",
      }),
      generator: number({
        default: 1,
        min: 1,
        integer: true,
        about: "generator updates of a cycle",
      }),
      exclusive: boolean({
        default: false,
        about: "whether a step belongs to one role; else both move in the first steps of a cycle",
      }),
    },
    { about: "two time-scale update rule" },
  ),
  criticImages: choice(["shared", "fresh"], {
    default: "shared",
    about:
      "what the critic sees after the generator's turn: its images, or new ones of new weights",
  }),
  accumulate: number({
    default: 1,
    min: 1,
    integer: true,
    about: "parts in which the gradient of a batch is gathered, for less memory; divides the batch",
  }),
  checkpointing: choice(["none", "blocks"], {
    default: "none",
    about:
      "whose values are computed again for the gradient instead of being kept, for less memory",
  }),
  precision: group(
    {
      teacher: choice(storages, { default: "f32", about: "the teacher's network" }),
      generator: choice(storages, { default: "f32", about: "the generator's" }),
      critic: choice(storages, { default: "f32", about: "the critic's" }),
    },
    {
      about:
        "what the values inside a network are kept in, where the device can; weights and losses are f32",
    },
  ),
  lossScale: number({
    default: 0,
    min: 0,
    about:
      "factor of the losses while a network is in f16, against gradients too small for it; 0 adapts it",
  }),
  diagnoseEvery: number({
    default: 0,
    ...count,
    about: "steps between two looks inside the updates; 0 takes none",
  }),
  teacher: group(
    {
      steps: number({
        default: 2000,
        ...count,
        about: "updates of the teacher before distillation",
      }),
      batch: number({ default: 32, min: 1, integer: true, about: "images a teacher update sees" }),
    },
    { about: "training of the teacher" },
  ),
  logEvery: number({
    default: 50,
    min: 1,
    integer: true,
    about: "steps between two log lines with losses",
  }),
  sampleEvery: number({
    default: 0,
    ...count,
    about: "steps between two sample grids; 0 draws none",
  }),
  checkpointEvery: number({
    default: 0,
    ...count,
    about: "steps between two checkpoints; 0 keeps only the last",
  }),
  evaluateCount: number({
    default: 1000,
    min: 1,
    integer: true,
    about: "samples per set when the run is judged",
  }),
};

/** The `train` section of a config, complete. @throws OptionError */
export function readTrainOptions(given: Record<string, unknown>): TrainSettings & RunSettings {
  const settings = parseOptions("train", specs, expanded(given));
  for (const [batch, place] of [
    [settings.batch, "batch"],
    // A teacher that is not trained has no batch.
    [settings.teacher.steps > 0 ? settings.teacher.batch : 0, "teacher.batch"],
  ] as const)
    if (batch % settings.accumulate !== 0)
      throw failure(
        "E_OPTION",
        `Cannot configure train: accumulate is ${settings.accumulate}, should divide ${place}, which is ${batch}`,
      );
  return settings;
}

/** `criticStepsPerGeneratorStep: n` is short for `ttur: { critic: n, generator: 1 }` and wins over it. */
function expanded({ criticStepsPerGeneratorStep: critic, ...options }: Record<string, unknown>) {
  if (critic === undefined) return options;
  return { ...options, ttur: { ...(options.ttur as object), critic, generator: 1 } };
}
