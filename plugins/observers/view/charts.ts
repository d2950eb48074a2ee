import { LOSS_WORDS } from "../lossWords.ts";
import type { CurveKind, CurveView } from "./runView.ts";

/** A chart of a run's page: which curves it has, and how they are to be read. */
export interface ChartView {
  /** The same for the same chart of another run. */
  readonly key: string;
  readonly title: string;
  readonly stage: string;
  readonly kind: CurveKind;
  /** What its values are, with their unit. */
  readonly y: string;
  readonly logY: boolean;
  readonly smooth: boolean;
  /** Whether the y axis begins at 0. */
  readonly zero?: boolean;
  /** What is good, and what is not. */
  readonly words?: string;
}

/** How values of a kind are shown. */
const SHOWN: Readonly<Record<CurveKind, Pick<ChartView, "y" | "logY" | "smooth" | "zero">>> = {
  loss: { y: "loss", logY: true, smooth: true },
  gradient: { y: "norm", logY: true, smooth: true },
  diagnosis: { y: "value", logY: false, smooth: false },
  metric: { y: "value", logY: false, smooth: false },
  time: { y: "ms", logY: true, smooth: true },
  memory: { y: "MiB", logY: false, smooth: false, zero: true },
  weight: { y: "weight", logY: false, smooth: false },
};

/** The order of charts, and the heading above those of each kind. */
export const CHART_GROUPS: readonly {
  readonly title: string;
  readonly about?: string;
  readonly kinds: readonly CurveKind[];
}[] = [
  { title: "Judged on the way", about: "Of few samples: the course counts, not the value.", kinds: ["metric"] },
  { title: "Losses", kinds: ["loss"] },
  { title: "Gradients", kinds: ["gradient"] },
  { title: "Inside the updates", kinds: ["diagnosis", "weight"] },
  { title: "Speed and memory", kinds: ["time", "memory"] },
];

/** Names that say more than those of the log. */
const TITLES: Readonly<Record<string, string>> = {
  "gradient-norm": "gradient norm",
  "weight-norm": "norm of the weights",
  "average-distance": "distance to the average",
  "loss-scale": "loss scale",
};

/** The words for gradients and weights. */
const WORDS: Readonly<Record<string, string>> = {
  "gradient-norm": "of all weights of the role, before clipping",
  "average-distance": "share of the norm: how far the weights move within the memory of the average",
};

const PULL = "image-gradient ";

/** The chart that a curve belongs to. */
export function chartOf({ key, kind, stage, role, name }: Omit<CurveView, "stretches">): ChartView {
  const shown = SHOWN[kind];
  const pull = name.startsWith(PULL) ? name.slice(PULL.length) : undefined;
  const title = pull === undefined ? (TITLES[name] ?? name) : `pull of ${pull} at the images`;
  // A loss is of one role, and so are those that are looked at inside its update.
  const owner = role !== "" && kind !== "loss" ? `, ${role}` : "";
  return {
    key,
    stage,
    kind,
    title: title + owner,
    ...shown,
    words:
      kind === "loss"
        ? LOSS_WORDS[name]
        : (WORDS[name] ?? (pull ? "norm of its gradient, with its weight" : undefined)),
  };
}
