import type { Observer } from "../../core/interfaces/mod.ts";
import type { EventBus, TrainEvents } from "../../core/train/mod.ts";
import { onLosses } from "./lossReadings.ts";
import { lineDisplay, type ProgressDisplay, type StageProgress, type TextStream } from "./progressDisplay.ts";

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
      const withDisplay = (use: (display: ProgressDisplay) => void) => (display ? use(display) : opening.then(use));
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

/** Calls `show` after every step, and tells which is the last: judging follows, which is silent and may take long. */
function follow(bus: EventBus, show: (progress: StageProgress, last: boolean) => unknown, every?: number): void {
  let stages: TrainEvents["run/start"]["stages"] = [];
  let stage: string | undefined;
  let losses: Record<string, number> = {};
  let first: { readonly step: number; readonly at: number } | undefined;

  bus.on("run/start", (event) => {
    stages = event.stages.filter(({ steps }) => steps > 0);
    stage = undefined;
  });
  bus.on("role/updated", (event) => {
    if (event.stage === stage) return;
    stage = event.stage;
    losses = {};
    first = undefined;
  });
  onLosses(
    bus,
    "progress",
    async (reading) => {
      const { stage: own, values } = await reading;
      if (own !== stage) return;
      const { "gradient-norm": _, "loss-scale": __, ...terms } = values;
      losses = { ...losses, ...terms };
    },
    every,
  );
  bus.on(
    "step/end",
    ({ stage: name, step }) => {
      const now = performance.now();
      first ??= { step, at: now };
      const rate = step > first.step ? ((step - first.step) * 1000) / (now - first.at) : Number.NaN;
      const done = step + 1;
      const total = stages.find((each) => each.name === name)?.steps ?? 0;
      const last = done === total && name === stages.at(-1)?.name;
      return show({ stage: name, done, total, rate, losses }, last);
    },
    "progress",
  );
}
