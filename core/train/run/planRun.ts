import type { Resolver } from "../../di/resolver.ts";
import { failure } from "../../errors.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { DATASET } from "../../interfaces/dataset.ts";
import type { RoleName } from "../../interfaces/role.ts";
import { TEACHER } from "../../interfaces/teacher.ts";
import type { RunSettings } from "../config/config.ts";
import { EventBus } from "../loop/bus.ts";
import { Evaluation, SAMPLES } from "../sampling/evaluation.ts";
import { type Stage, Trainer, type TrainSettings } from "../update/trainer.ts";
import { type Counted, CountingBackend } from "./countingBackend.ts";

/** What a run does at one time, and what then lives on the device. */
export interface StagePlan {
  /** A stage of training, or the drawing of samples after it. */
  readonly stage: Stage | "samples";
  /** Programs that this stage adds to those before. */
  readonly programs: readonly Counted[];
  /** Everything on the device, states included. */
  readonly bytes: number;
}

/** What a run needs of a device. */
export interface RunPlan {
  /** Parameters of each role, gaps not counted. */
  readonly parameters: Readonly<Partial<Record<RoleName, number>>>;
  /** Bytes of every state by name. */
  readonly states: ReadonlyMap<string, number>;
  readonly stages: readonly StagePlan[];
  /** The most that lives at any time; programs of metrics, which have their own, aside. */
  readonly peakBytes: number;
}

/**
 * Traces all programs of a composed run and measures them for a device, without allocating, training or writing anything.
 * @throws KernelError when a tensor is larger than the device allows; ShapeError or OptionError where parts don't fit
 */
export async function planRun(
  container: Resolver,
  settings: TrainSettings & Pick<RunSettings, "evaluateCount" | "sampleEvery">,
  device: Backend,
): Promise<RunPlan> {
  const counting = new CountingBackend(device);
  const bus = new EventBus();
  const trainer = new Trainer(container, counting, container.get(DATASET), bus, settings);
  const { players } = trainer;
  const stages: StagePlan[] = [];
  let known: readonly Counted[] = [];
  const note = (stage: StagePlan["stage"]) => {
    const programs = counting.programs.filter((each) => !known.includes(each));
    known = counting.programs;
    stages.push({ stage, programs, bytes: counting.liveBytes });
  };
  const evaluation = new Evaluation(container, counting, trainer, bus);
  const { sampleEvery, evaluateCount } = settings;
  // In the order of a run, as what programs share depends on it.
  const train = async (stage: Stage, steps: number) => {
    if (steps === 0) return;
    await trainer.prepare(stage);
    const role = stage === "teacher" ? "teacher" : "generator";
    if (sampleEvery > 0 && sampleEvery < steps) await evaluation.prepare(role, SAMPLES);
    note(stage);
  };
  if (container.get(TEACHER).trainable) await train("teacher", settings.teacher.steps);
  if (players.generator) await train("distillation", settings.steps);
  await evaluation.prepare("teacher", evaluateCount);
  if (players.generator) await evaluation.prepare("generator", evaluateCount);
  note("samples");
  const sizes = Object.values(players).map(({ name, layout }) => [name, layout.count]);
  return {
    parameters: Object.fromEntries(sizes),
    states: counting.states,
    stages,
    peakBytes: Math.max(...stages.map(({ bytes }) => bytes)),
  };
}

/**
 * Holds a run to a device before it starts.
 * @param capacity bytes of all tensors together; what the device tells when absent
 * @throws KernelError E_DEVICE_LIMIT when there is not so much
 */
export function checkCapacity(
  { peakBytes, stages }: RunPlan,
  device: Backend,
  capacity = device.capacity,
): void {
  if (capacity === undefined || peakBytes <= capacity) return;
  const { stage } = stages.find(({ bytes }) => bytes === peakBytes)!;
  throw failure(
    "E_DEVICE_LIMIT",
    `Cannot run on ${device.info.name}: ${when[stage]} needs ${mebibytes(peakBytes)}, the device has ${mebibytes(capacity)}`,
    {
      fix: "`onestep plan` says what would fit: a smaller train.batch, train.checkpointing=blocks",
    },
  );
}

const when: Readonly<Record<StagePlan["stage"], string>> = {
  teacher: "training the teacher",
  distillation: "distillation",
  samples: "drawing samples",
};
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
