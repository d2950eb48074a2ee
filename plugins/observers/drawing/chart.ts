import type * as PlotModule from "@observablehq/plot";
import type { ReferenceBand } from "../view/reference.ts";
import type { Stretch } from "../view/thinnedCourse.ts";

/** A curve with its look. */
export interface ChartSeries {
  readonly name: string;
  /** As CSS has it. */
  readonly colour: string;
  readonly stretches: readonly Stretch[];
}

/** Where curves of this sort lay in runs of before. */
export type ChartBand = ReferenceBand;

/** A chart of curves over steps. */
export interface ChartOptions {
  readonly series: readonly ChartSeries[];
  readonly band?: ChartBand;
  /** What the axes show, with the unit. */
  readonly x: string;
  readonly y: string;
  /** Logarithmic y axis; values of 0 and below leave a gap. */
  readonly logY?: boolean;
  /** Draws a strong mean of neighbours over the pale curve, for values that scatter. */
  readonly smooth?: boolean;
  /** Whether the y axis begins at 0. */
  readonly zero?: boolean;
  /** The steps that are shown at least, so that charts beside each other have one axis. */
  readonly domain?: readonly [first: number, last: number];
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** A point of a line; a NaN is a gap. */
interface Drawn {
  readonly step: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Of fewer points each is drawn. */
const FEW = 40;
/** Neighbours that the strong line averages: this share of the curve. */
const SHARE = 1 / 40;

/** 0.0004 and 12,000 rather than Plot's own 400µ and 12k. */
export const shortNumber = (value: number): string =>
  Math.abs(value) >= 1e7 || (value !== 0 && Math.abs(value) < 1e-5)
    ? value.toExponential().replace("e+", "e")
    : Number(value.toPrecision(6)).toLocaleString("en-US", { maximumSignificantDigits: 6 });

/** What charts are made of. */
export type PlotParts = Pick<typeof PlotModule, "areaY" | "dot" | "gridY" | "line" | "plot">;

/** Draws with Plot, which is given: a page has its own, and Node a document of linkedom. */
export function chart(Plot: PlotParts, document: Document, options: ChartOptions): SVGSVGElement {
  const { series, band, x, y, logY = false, smooth = false, zero = false, domain, width, height } = options;
  const drawable = (value: number | null): number =>
    value !== null && Number.isFinite(value) && (!logY || value > 0) ? value : Number.NaN;
  const curves = series.map(({ colour, stretches }) => ({
    colour,
    points: stretches.map(([step, value, low = value, high = value]): Drawn => {
      // A log axis has no place for 0; the range then ends at the mean.
      const mean = drawable(value);
      const lowest = drawable(low);
      return { step, value: mean, low: Number.isNaN(lowest) ? mean : lowest, high: drawable(high) };
    }),
  }));
  const known = curves.flatMap(({ points }) => points).some(({ value }) => !Number.isNaN(value));
  const border = band?.filter(([, low, high]) => !Number.isNaN(drawable(low)) && !Number.isNaN(drawable(high)));
  const steps = domain && domain[1] > domain[0] ? { domain: [...domain] } : {};
  const values =
    known || (border && border.length > 0) ? (logY ? { type: "log" as const } : { zero }) : { domain: [0, 1] };
  const shown = [
    ...curves.flatMap(({ points }) => points.flatMap(({ value, low, high }) => [value, low, high])),
    ...(border ?? []).flatMap(([, low, high]) => [low, high]),
  ].filter((value) => !Number.isNaN(value));
  const ticks = ticksOf(Math.min(...shown, ...(zero ? [0] : [])), Math.max(...shown), logY);
  const svg = Plot.plot({
    document,
    width,
    height,
    marginTop: 8,
    marginRight: 12,
    marginLeft: 54,
    marginBottom: 34,
    style: { fontFamily: "inherit", fontSize: "11px", background: "none", overflow: "visible" },
    x: { label: null, tickFormat: shortNumber, tickSize: 3, ticks: Math.max(2, Math.round(width / 90)), ...steps },
    y: { label: null, tickFormat: shortNumber, tickSize: 0, ...(ticks.length > 0 ? { ticks } : {}), ...values },
    marks: [
      Plot.gridY(ticks, { stroke: "currentColor", strokeOpacity: 0.14 }),
      ...(border && border.length > 1
        ? [
            Plot.areaY(border, {
              x: (each: ChartBand[number]) => each[0],
              y1: (each: ChartBand[number]) => each[1],
              y2: (each: ChartBand[number]) => each[2],
              fill: "currentColor",
              fillOpacity: 0.1,
            }),
          ]
        : []),
      ...curves.flatMap(({ colour, points }) => {
        const strong = smooth && points.length > FEW;
        const ranged = points.some(({ low, high }) => high > low);
        return [
          ...(ranged
            ? [Plot.areaY(points, { x: "step", y1: "low", y2: "high", fill: colour, fillOpacity: strong ? 0.14 : 0.2 })]
            : []),
          Plot.line(points, {
            x: "step",
            y: "value",
            stroke: colour,
            ...(strong ? { strokeOpacity: 0.3, strokeWidth: 1 } : { strokeWidth: 1.75 }),
          }),
          ...(strong ? [Plot.line(smoothed(points), { x: "step", y: "value", stroke: colour, strokeWidth: 2 })] : []),
          // A line through a handful of points hides where they are, and through one point is nothing at all.
          ...(points.length < FEW ? [Plot.dot(points, { x: "step", y: "value", fill: colour, r: 2 })] : []),
        ];
      }),
    ],
    ariaLabel: `${y} over ${x}`,
  }) as unknown as SVGSVGElement;
  return svg;
}

/** Round values of an axis, about four; of a logarithmic one of some decades, powers of ten and parts of them. */
function ticksOf(low: number, high: number, logY: boolean): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return Number.isFinite(low) ? [low] : [];
  if (logY && high / low > 12) {
    const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
    const parts = last - first <= 2 ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil((last - first) / 5));
    const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((power) => power % every === 0);
    const all = powers.flatMap((power) => parts.map((part) => Number(`${part}e${power}`)));
    return all.filter((value) => value >= low && value <= high);
  }
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw) as number;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** The centred mean of neighbours; gaps stay gaps and are left out of the means. */
function smoothed(points: readonly Drawn[]): Drawn[] {
  const reach = Math.max(1, Math.round((points.length * SHARE) / 2));
  return points.map((point, i) => {
    if (Number.isNaN(point.value)) return point;
    const around = points.slice(Math.max(0, i - reach), i + reach + 1).filter(({ value }) => !Number.isNaN(value));
    return { ...point, value: around.reduce((sum, { value }) => sum + value, 0) / around.length };
  });
}
