import type { Observer } from "../../core/interfaces/mod.ts";
import { isLoss } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import type { TrainEvents } from "../../core/train/mod.ts";
import { lossPlot } from "./drawing/lossPlot.ts";
import { loggedLosses, logLines } from "./logLines.ts";
import { type LossReading, onLosses } from "./lossReadings.ts";
import { LOSS_WORDS } from "./lossWords.ts";

/** Where the plot goes, and what came before. */
export interface LossCurvesOptions {
  readonly files: FileSystem;
  /** The SVG file, replaced while the run goes on and when it ends. */
  readonly path: string;
  /** The event log of the run so far, for one that is resumed: its losses are drawn as well. */
  readonly earlier?: string;
  /** Steps between two losses that are read; by default the run's `train.logEvery`. */
  readonly every?: number;
}

/** Seconds between two plots while a run goes on; and a plot takes no more than this share of the time since the one before. */
const [PAUSE, SHARE] = [60, 0.01];

/** Draws all losses over the steps, each stage to the right of the one before: now and then, and when the run ends. */
export function lossCurves({ files, path, earlier, every }: LossCurvesOptions): Observer {
  const curves = new Map<string, Map<number, number>>();
  /** Where the steps of each stage begin. */
  let offsets: ReadonlyMap<string, number> = new Map();
  const add = ({ stage, step, values }: LossReading) => {
    for (const [name, value] of Object.entries(values)) {
      if (!isLoss(name)) continue;
      const curve = curves.get(name) ?? new Map<number, number>();
      // A step that a resumed run repeats replaces its first reading.
      curves.set(name, curve.set((offsets.get(stage) ?? 0) + step, value));
    }
  };
  const read = async () => {
    if (earlier === undefined || !(await files.exists(earlier))) return;
    for await (const event of logLines(files, earlier)) {
      const reading = event && loggedLosses(event);
      if (reading) add(reading);
    }
  };
  const draw = async () => {
    if (curves.size === 0) return;
    const series = [...curves].map(([name, curve]) => {
      const points = [...curve].sort(([a], [b]) => a - b);
      return { name, steps: points.map(([step]) => step), values: points.map(([, v]) => v) };
    });
    const later = [...offsets].filter(([, from]) => from > 0);
    const parts = later.map(([stage, from]) => `${stage} from ${from} on`);
    const xLabel = parts.length > 0 ? `step (${parts.join(", ")})` : "step";
    const notes = series.flatMap(({ name }) => (LOSS_WORDS[name] ? [`${name}: ${LOSS_WORDS[name]}`] : []));
    const svg = await lossPlot(series, { title: "Losses", xLabel, logY: true, notes });
    await files.write(path, new TextEncoder().encode(svg));
  };

  return {
    name: "loss-curves",
    observe(bus) {
      const pending: Promise<unknown>[] = [];
      let next = performance.now() + 1000 * PAUSE;
      let drawing: Promise<void> | undefined;
      /** A plot while the run goes on, one at a time. */
      const refresh = (): Promise<void> | undefined => {
        const began = performance.now();
        if (began < next || drawing) return undefined;
        drawing = draw().finally(() => {
          const now = performance.now();
          next = now + Math.max(1000 * PAUSE, (now - began) / SHARE);
          drawing = undefined;
        });
        return drawing;
      };
      bus.on(
        "run/start",
        (event) => {
          offsets = offsetsOf(event.stages);
          pending.push(read());
          return pending[0];
        },
        "loss-curves",
      );
      onLosses(
        bus,
        "loss-curves",
        (reading) => {
          const added = reading.then(add).then(refresh);
          pending.push(added);
          return added;
        },
        every,
      );
      bus.on("run/end", () => Promise.allSettled(pending).then(draw), "loss-curves");
    },
  };
}

function offsetsOf(stages: TrainEvents["run/start"]["stages"]): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  let from = 0;
  for (const { name, steps } of stages) {
    offsets.set(name, from);
    from += steps;
  }
  return offsets;
}
