import type { Observer } from "../../core/interfaces/mod.ts";
import type { EventBus } from "../../core/train/mod.ts";
import { onLosses } from "./lossReadings.ts";
import {
  lineDisplay,
  type ProgressDisplay,
  type StageProgress,
  type TextStream,
} from "./progressDisplay.ts";
import { stagesOf } from "./stages.ts";

/** Where progress goes, and how often losses are read for it. */
export interface ProgressOptions {
  readonly stream: TextStream;
  /** Steps between two losses that are read; by default the run's `train.logEvery`. */
  readonly every?: number;
}

/**
 * Shows a person how far the run is, how fast, how long it will take, and its losses: bars on a terminal, some lines
 * elsewhere. Warnings appear as they come.
 */
export function progress({ stream, every }: ProgressOptions): Observer {
  return {
    name: "progress",
    observe(bus) {
      let display: ProgressDisplay | undefined;
      // Loaded when it is of use: pipes, files and browsers do without it.
      const opening = stream.isTTY
        ? import("./progressBar.ts").then(({ barDisplay }) => (display = barDisplay(stream)))
        : Promise.resolve((display = lineDisplay(stream)));
      // At once when that is possible: what other observers print after the last event must not meet a bar.
      const withDisplay = (use: (display: ProgressDisplay) => void) =>
        display ? use(display) : opening.then(use);
      const show = (state: StageProgress, last: boolean) =>
        withDisplay((display) => {
          display.show(state);
          if (last) display.note("drawing and judging samples");
        });
      follow(bus, show, every);
      bus.on("run/warning", ({ source, message }) =>
        withDisplay((display) => display.note(`warning (${source}): ${message}`)),
      );
      bus.on("run/end", () => withDisplay((display) => display.close()), "progress");
    },
  };
}

/** Calls `show` after every step, and tells the last of all: what comes then is silent and may take long. */
function follow(
  bus: EventBus,
  show: (progress: StageProgress, last: boolean) => unknown,
  every?: number,
): void {
  let totals = { teacher: 0, distillation: 0 };
  let stage: StageProgress["stage"] | undefined;
  let losses: Record<string, number> = {};
  let first: { readonly step: number; readonly at: number } | undefined;

  const enter = (name: StageProgress["stage"]) => {
    if (name === stage) return;
    stage = name;
    losses = {};
    first = undefined;
  };
  bus.on("run/start", (event) => {
    totals = stagesOf(event);
    stage = undefined;
  });
  bus.on("teacher/updated", () => enter("teacher"));
  bus.on("generator/updated", () => enter("distillation"));
  bus.on("critic/updated", () => enter("distillation"));
  onLosses(
    bus,
    "progress",
    async (reading) => {
      const { phase, values } = await reading;
      if ((phase === "teacher") !== (stage === "teacher")) return;
      const { "gradient-norm": _, "loss-scale": __, ...terms } = values;
      losses = { ...losses, ...terms };
    },
    every,
  );
  bus.on(
    "step/end",
    ({ step }) => {
      if (!stage) return;
      const now = performance.now();
      first ??= { step, at: now };
      const rate = step > first.step ? ((step - first.step) * 1000) / (now - first.at) : Number.NaN;
      const [done, total] = [step + 1, totals[stage]];
      const last = done === total && (stage === "distillation" || totals.distillation === 0);
      return show({ stage, done, total, rate, losses }, last);
    },
    "progress",
  );
}
