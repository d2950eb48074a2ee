import type { Observer } from "../../core/interfaces/mod.ts";
import { isLoss } from "../../core/interfaces/mod.ts";
import type { EventBus, TrainEvents } from "../../core/train/mod.ts";
import { warningLine } from "./healthWarnings.ts";
import { incidentText } from "./incidents.ts";
import { readScalars } from "./lossReadings.ts";
import {
  lineDisplay,
  type ProgressDisplay,
  type RoleUpdate,
  type StageProgress,
  type TextStream,
} from "./progressDisplay.ts";
import { judgedText } from "./resultTable.ts";
import { workProgress } from "./workProgress.ts";

/** Where progress goes. */
export interface ProgressOptions {
  readonly stream: TextStream;
}

/**
 * Shows a person how far the run is, how fast, how long it will take, and its losses: bars on a terminal, some lines
 * elsewhere. Warnings appear as they come.
 */
export function progress({ stream }: ProgressOptions): Observer {
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
      follow(bus, {
        wants: (update) => display?.wants(update) ?? true,
        show: (state, last) =>
          withDisplay((display) => {
            display.show(state);
            if (last) display.note("drawing and judging samples");
          }),
      });
      const work = workProgress(() => display, "samples");
      bus.on("work/progressed", ({ what, done, total, unit }) => work.tell(what, done, total, unit), "progress");
      const note = (text: string) => withDisplay((display) => display.note(text));
      bus.on("run/warning", ({ source, message }) => note(`warning (${source}): ${message}`));
      bus.on("role/left-out", (event) => note(incidentText[event.type](event)));
      bus.on("run/rolled-back", (event) => note(incidentText[event.type](event)));
      bus.on("device/lost", (event) => note(incidentText[event.type](event)));
      bus.on("health/warned", (warning) => note(warningLine(warning)));
      bus.on("learner/judged", (event) => note(judgedText(event)));
      bus.on("run/end", () => withDisplay((display) => display.close()), "progress");
    },
  };
}

/** What `follow` asks of a display, and tells it. */
interface Follower {
  wants(update: RoleUpdate): boolean;
  /** @param last whether it is the last step: judging follows, which is silent and may take long */
  show(progress: StageProgress, last: boolean): unknown;
}

/** Shows every step, with the losses that each role had last. */
function follow(bus: EventBus, { wants, show }: Follower): void {
  let stages: TrainEvents["run/start"]["stages"] = [];
  let stage: string | undefined;
  let losses: Record<string, number> = {};
  let first: { readonly step: number; readonly at: number } | undefined;
  /** Last update of each role. */
  const updated = new Map<string, number>();
  /** Losses on their way from the device, and steps that wait for them. */
  let reading: Promise<unknown> | undefined;
  const totalOf = (name: string) => stages.find((each) => each.name === name)?.steps ?? 0;

  bus.on("run/start", (event) => {
    stages = event.stages.filter(({ steps }) => steps > 0);
    stage = undefined;
  });
  bus.on(
    "role/updated",
    ({ stage: name, role, step, losses: scalars }) => {
      if (name !== stage) {
        stage = name;
        losses = {};
        first = undefined;
        updated.clear();
      }
      const gap = step - (updated.get(role) ?? -Infinity);
      updated.set(role, step);
      if (!wants({ stage: name, role, step, total: totalOf(name), gap })) return;
      // Begun while the event is told; it waits for the device.
      const read = readScalars(scalars).then((values) => {
        const terms = Object.fromEntries(Object.entries(values).filter(([name]) => isLoss(name)));
        if (name === stage) losses = { ...losses, ...terms };
      });
      // A read that fails is the bus's to tell; steps are shown all the same.
      reading = Promise.all([reading, read.catch(() => undefined)]);
      return read;
    },
    "progress",
  );
  bus.on(
    "step/end",
    ({ stage: name, step }) => {
      const now = performance.now();
      first ??= { step, at: now };
      const rate = step > first.step ? ((step - first.step) * 1000) / (now - first.at) : Number.NaN;
      const total = totalOf(name);
      const done = step + 1;
      const last = done === total && name === stages.at(-1)?.name;
      const shown = () => show({ stage: name, done, total, rate, losses }, last);
      if (!reading) return shown();
      const waited = reading.then(shown);
      reading = waited;
      return waited.finally(() => {
        if (reading === waited) reading = undefined;
      });
    },
    "progress",
  );
}
