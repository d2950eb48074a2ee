import type { EventBus, Scalars } from "../../../core/train/mod.ts";

/** Scalars as the trainer hands them out, and how often they were read. */
export function scalars(values: Record<string, number>): { losses: Scalars; reads: () => number } {
  let reads = 0;
  const losses = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      {
        read: async () => {
          reads++;
          return value;
        },
      },
    ]),
  );
  return { losses, reads: () => reads };
}

/** Lets what has been read arrive. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Emits the events of a run of `teacher` + `distillation` steps at TTUR ratio 2, and waits for its listeners. */
export async function play(
  bus: EventBus,
  { teacher = 0, distillation = 0, start = 0, logEvery = 2, reason = "complete" as const } = {},
): Promise<{ reads: number }> {
  const counters: (() => number)[] = [];
  const update = (stage: string, role: string, step: number, values: Record<string, number>) => {
    const { losses, reads } = scalars(values);
    counters.push(reads);
    bus.emit("role/updated", { stage, role, step, losses });
  };
  bus.emit("run/start", {
    seed: 0,
    steps: teacher + distillation,
    stages: [
      { name: "teacher", steps: teacher },
      { name: "distillation", steps: distillation },
    ],
    device: "test",
    config: { generator: {}, train: { steps: distillation, logEvery } },
  });
  for (let step = 0; step < teacher; step++) {
    update("teacher", "teacher", step, { denoising: 1 + step, "gradient-norm": 9 });
    bus.emit("step/end", { stage: "teacher", step, ms: 1 });
    await turn();
  }
  for (let step = start; step < distillation; step++) {
    if (step % 2 === 0) update("distillation", "generator", step, { matching: 10 + step });
    update("distillation", "critic", step, { fake: 20 + step });
    bus.emit("step/end", { stage: "distillation", step, ms: 1 });
    await turn();
  }
  await bus.settled();
  bus.emit("run/end", { steps: teacher + distillation, reason });
  await bus.settled();
  return { reads: counters.reduce((sum, count) => sum + count(), 0) };
}
