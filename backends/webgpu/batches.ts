import { isAligned, type Place, type Plan, type Step } from "../../core/graph/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { type ChannelSum, channelSumOf, MOST_SUMS } from "./kernels/channelSums.ts";

/** A step that is a sum over channels, or a short copy, and where its operands are. */
export interface SumJob extends ChannelSum {
  readonly from: Place;
  readonly to: Place;
}

/** What is lowered together: one step, or several sums over channels. */
export interface Batch {
  /** Number of its last step, which is when it runs. */
  readonly index: number;
  readonly steps: readonly Step[];
  /** What its steps come to, when there are several. */
  readonly jobs: readonly SumJob[];
}

/**
 * A plan's steps in order, with sums over channels into one buffer (gradients of biases and scales go into the gradient's)
 * put off until several can share a dispatch: a network has over a hundred, each of microseconds. A sum waits at most
 * until a step touches what it reads or writes.
 */
export function batchesOf(plan: Plan): Batch[] {
  const batches: Batch[] = [];
  /** Sums that wait, by the buffer that they go to. */
  const waiting = new Map<number, Batch[]>();
  const flush = (target: number) => {
    const parts = waiting.get(target) ?? [];
    const [steps, jobs] = [parts.flatMap((each) => each.steps), parts.flatMap((each) => each.jobs)];
    if (parts.length > 0) batches.push({ index: parts.at(-1)!.index, steps, jobs });
    waiting.delete(target);
  };
  // A kernel for every mixture of storages would take longer to compile than a dispatch does.
  const storageAt = ({ buffer }: Place) => plan.buffers[buffer].storage;
  plan.steps.forEach((step, index) => {
    const job = jobOf(step, plan);
    for (const [target, parts] of [...waiting]) if (conflict(touched(step, plan), parts, target, plan)) flush(target);
    if (!job) {
      batches.push({ index, steps: [step], jobs: [] });
      return;
    }
    const { buffer } = job.to;
    const before = waiting.get(buffer);
    const mixes = before && storageAt(before[0].jobs[0].from) !== storageAt(job.from);
    if (mixes || before?.length === MOST_SUMS) flush(buffer);
    waiting.set(buffer, [...(waiting.get(buffer) ?? []), { index, steps: [step], jobs: [job] }]);
  });
  for (const target of [...waiting.keys()]) flush(target);
  return batches;
}

/**
 * Whether sums can't wait past a step: it reads what they make, or writes what they read. A step may write other parts of
 * their target; a part of its own it has only to itself until somebody has read it.
 */
function conflict({ reads, writes }: Touched, parts: readonly Batch[], target: number, plan: Plan): boolean {
  const pending = parts.flatMap(({ steps }) => steps.flatMap((each) => touched(each, plan).reads));
  return reads.includes(target) || writes.some((buffer) => pending.includes(buffer));
}

interface Touched {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

function touched(step: Step, plan: Plan): Touched {
  const buffersOf = (nodes: readonly Tensor[]) => nodes.flatMap((node) => plan.places.get(node)?.buffer ?? []);
  if (step.kind === "copy") return { reads: [step.from.buffer], writes: [step.to.buffer] };
  if (step.kind === "kernel") return { reads: buffersOf(step.node.inputs), writes: buffersOf([step.node]) };
  return { reads: buffersOf(step.inputs), writes: buffersOf(step.outputs) };
}

/** More elements are better copied four at a time. */
const LONGEST_COPY = 1024;

/** A step as a job, if it is one whose operands lie where bindings can start, in two buffers. */
function jobOf(step: Step, plan: Plan): SumJob | undefined {
  const job = step.kind === "copy" ? copyJob(step, plan) : sumJob(step, plan);
  const aligned = (place: Place) => isAligned(place, plan.buffers[place.buffer].storage);
  const fits = job && job.from.buffer !== job.to.buffer && aligned(job.from) && aligned(job.to);
  return fits ? job : undefined;
}

function copyJob(step: Step & { kind: "copy" }, plan: Plan): SumJob | undefined {
  const { from, to, elements } = step;
  const isShort = elements <= LONGEST_COPY && plan.buffers[from.buffer].dtype === "f32";
  return isShort ? { from, to, C: elements, R0: 1, R1: 1 } : undefined;
}

function sumJob(step: Step, plan: Plan): SumJob | undefined {
  const sum = step.kind === "kernel" ? channelSumOf(step.node) : undefined;
  if (step.kind !== "kernel" || !sum) return undefined;
  const [from, to] = [step.node.inputs[0], step.node].map((node) => plan.places.get(node));
  return from && to && { ...sum, from, to };
}
