import type { Resolver } from "../../di/resolver.ts";
import { failure } from "../../errors.ts";
import type { Program } from "../../graph/program.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { DATASET } from "../../interfaces/dataset.ts";
import { METHOD, type Stage } from "../../interfaces/method.ts";
import type { RunSettings } from "../config/trainOptions.ts";
import { HealthProbe } from "../health/probe.ts";
import { breathe } from "../loop/breathe.ts";
import { EventBus } from "../loop/bus.ts";
import { Evaluation } from "../sampling/evaluation.ts";
import { Traces } from "../update/traces.ts";
import { Trainer } from "../update/trainer.ts";
import { diskOf } from "./checkFolder.ts";
import { checkMethod, checkNumbers, checkParts } from "./checkMethod.ts";
import { type Counted, CountingBackend } from "./countingBackend.ts";

/** A time in a run, with everything that lives on the device at that time. */
export interface StagePlan {
  /** A stage of training, or the drawing of samples after the last: `SAMPLING`. */
  readonly stage: string;
  /** Programs that this stage adds to those before. */
  readonly programs: readonly Counted[];
  /** Everything on the device, states included. */
  readonly bytes: number;
  /** Steps of the stage; 0 for drawing. */
  readonly steps: number;
  /** The programs of its turns, and how often one runs in a step. */
  readonly updates: readonly { readonly program: Program; readonly perStep: number }[];
}

/** What a plan calls the drawing of samples. */
const SAMPLING = "samples";

/** What a run needs of a device. */
export interface RunPlan {
  /** Parameters of each role, gaps not counted. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Bytes of every state by name. */
  readonly states: ReadonlyMap<string, number>;
  readonly stages: readonly StagePlan[];
  /** Bytes on the disk: of one checkpoint, and of the files of weights. */
  readonly disk: ReturnType<typeof diskOf>;
  /** The most that lives at any time; programs of metrics, which have their own, aside. */
  readonly peakBytes: number;
}

/**
 * Checks the method of a composed run, traces all its programs and measures them for a device, without allocating, training
 * or writing anything.
 * @param traces keeps what is traced, for the run itself
 * @throws KernelError when a tensor is larger than the device allows; ShapeError or OptionError where parts don't fit
 */
export async function planRun(
  container: Resolver,
  settings: RunSettings,
  device: Backend,
  traces: Traces = new Traces(),
): Promise<RunPlan> {
  const counting = new CountingBackend(device);
  const bus = new EventBus();
  checkParts(container.get(METHOD));
  const trainer = new Trainer(container, counting, container.get(DATASET), bus, settings, { traces });
  checkMethod(container, trainer, settings);
  const plans: StagePlan[] = [];
  let known: readonly Counted[] = [];
  const note = (stage: string, trained?: Stage) => {
    const programs = counting.programs.filter((each) => !known.includes(each));
    known = counting.programs;
    const updates = trained ? updatesIn(trainer, trained, settings.accumulate) : [];
    plans.push({ stage, programs, bytes: counting.liveBytes, steps: trained?.steps ?? 0, updates });
  };
  let current: Stage | undefined;
  const { sampleEvery, drawBatch, evaluateCount, evaluateEvery, evaluateEveryCount } = settings;
  const evaluation = new Evaluation(container, counting, trainer, bus, () => current, drawBatch);
  // In the order of a run, as what programs share depends on it.
  for (const stage of trainer.method.stages) {
    current = stage;
    if (stage.steps === 0) continue;
    await trainer.prepare(stage);
    checkNumbers(trainer, stage);
    const probe = await HealthProbe.create(counting, trainer, container.get(DATASET), stage);
    const previews = evaluation.previews(stage, sampleEvery);
    if (previews) await evaluation.prepare(previews.role, previews.count);
    const learner = evaluation.shownIn(stage);
    if (evaluateEvery > 0 && learner !== undefined) await evaluation.prepare(learner, evaluateEveryCount);
    note(stage.name, stage);
    probe.dispose();
  }
  for (const role of evaluation.judged) {
    await evaluation.prepare(role, evaluateCount);
    await breathe();
  }
  note(SAMPLING);
  const sizes = Object.values(trainer.players).map(({ name, layout }) => [name, layout.count]);
  return {
    parameters: Object.fromEntries(sizes),
    states: counting.states,
    stages: plans,
    disk: diskOf(trainer),
    peakBytes: Math.max(...plans.map(({ bytes }) => bytes)),
  };
}

/**
 * The programs of a stage's cycle; one of a batch that is gathered in parts runs once for each. A turn that waits is counted as if it
 * waited as little as it may.
 */
function updatesIn(trainer: Trainer, stage: Stage, parts: number): StagePlan["updates"] {
  const { cycle } = stage;
  return cycle.flat().flatMap((turn) => {
    const { program, apply } = trainer.traced(stage, turn);
    const often = 1 / (cycle.length * (turn.waits?.least ?? 1));
    const each = { program, perStep: apply ? parts * often : often };
    return apply ? [each, { program: apply, perStep: often }] : [each];
  });
}

/**
 * Holds a run to a device before it starts.
 * @param capacity bytes of all tensors together; what the device tells when absent
 * @throws KernelError E_DEVICE_LIMIT when the run needs more
 */
export function checkCapacity({ peakBytes, stages }: RunPlan, device: Backend, capacity = device.capacity): void {
  if (capacity === undefined || peakBytes <= capacity) return;
  const { stage } = stages.find(({ bytes }) => bytes === peakBytes)!;
  throw failure(
    "E_DEVICE_LIMIT",
    `Cannot run on ${device.info.name}: ${stage === SAMPLING ? "drawing samples" : `stage "${stage}"`} needs ${mebibytes(peakBytes)}, the device has ${mebibytes(capacity)}`,
    { fix: withHint(stage === SAMPLING ? FEWER_SAMPLES : SMALLER_UPDATES, device) },
  );
}

/** What helps where drawing, or training, needs more than there is. */
const FEWER_SAMPLES =
  "draw fewer samples at a time, such as --set train.drawBatch=10; `onestep plan` says what else would fit";
const SMALLER_UPDATES = "`onestep plan` says what would fit: a smaller train.batch, train.checkpointing=blocks";

/** What to do where a device is too small, and how the device could have more. */
export const withHint = (fix: string, { capacityHint }: Backend): string =>
  capacityHint ? `${fix}; or ${capacityHint}` : fix;

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
