import { type ChartBand, type ChartSeries, chart } from "../../../../plugins/observers/drawing/chart.ts";
import type { ChartView } from "../../../../plugins/observers/view/charts.ts";
import type { Stretch } from "../../../../plugins/observers/view/thinnedCourse.ts";
import { type Cursor, onCursor, pointAt } from "./cursor.ts";
import { short, whole } from "./numbers.ts";
import * as Plot from "./plot.ts";
import { html, useEffect, useLayoutEffect, useRef, useState, type VNode } from "./preact.ts";

/** A curve of a run, for a chart. */
export interface ChartLine extends ChartSeries {
  readonly version: number;
}

/** What a chart shows. */
export interface ChartProps {
  readonly view: ChartView;
  readonly lines: readonly ChartLine[];
  readonly band?: ChartBand;
  readonly domain?: readonly [number, number];
}

/** Height of a drawing, in pixels. */
const HEIGHT = 190;
/** Milliseconds between two drawings of a chart whose curve goes on. */
const PAUSE = 900;

/** A chart with its title, the value at the cursor or the last, and what is good. Arrow keys move the cursor. */
export function Chart({ view, lines, band, domain }: ChartProps): VNode {
  const place = useRef<HTMLDivElement>(null);
  const rule = useRef<HTMLDivElement>(null);
  const scale = useRef<{ apply(value: number): number; invert(value: number): number } | undefined>(undefined);
  const drawn = useRef({ at: -Infinity, key: "" });
  const [width, setWidth] = useState(0);
  const [seen, setSeen] = useState(false);
  const [cursor, setCursor] = useState<Cursor | undefined>(undefined);

  useLayoutEffect(() => {
    const element = place.current!;
    const size = new ResizeObserver(() => setWidth(element.clientWidth));
    size.observe(element);
    // What is far below costs nothing until it is near.
    const sight = new IntersectionObserver((entries) => setSeen(entries[entries.length - 1].isIntersecting), {
      rootMargin: "400px",
    });
    sight.observe(element);
    setWidth(element.clientWidth);
    return () => {
      size.disconnect();
      sight.disconnect();
    };
  }, []);
  useEffect(() => onCursor((at) => setCursor(at?.stage === view.stage ? at : undefined)), [view.stage]);

  const key = `${width} ${domain} ${lines.map(({ name, colour, version }) => `${name} ${colour} ${version}`)} ${band !== undefined}`;
  useLayoutEffect(() => {
    if (!seen || width === 0 || key === drawn.current.key) return;
    const draw = () => {
      const svg = chart(Plot, document, { ...view, x: "step", series: lines, band, domain, width, height: HEIGHT });
      svg.setAttribute("aria-hidden", "true");
      scale.current = (svg as unknown as { scale(name: string): typeof scale.current }).scale("x");
      place.current!.querySelector("svg")?.remove();
      place.current!.prepend(svg);
      drawn.current = { at: performance.now(), key };
      placeRule();
    };
    const wait = drawn.current.at + PAUSE - performance.now();
    if (wait <= 0) {
      draw();
      return;
    }
    const timer = setTimeout(draw, wait);
    return () => clearTimeout(timer);
  });
  const placeRule = () => {
    const x = cursor && scale.current?.apply(cursor.step);
    const element = rule.current!;
    element.hidden = x === undefined || !(x >= 0 && x <= width);
    if (x !== undefined) element.style.transform = `translateX(${x}px)`;
  };
  useLayoutEffect(placeRule);

  const steps = lines.flatMap(({ stretches }) => stretches.map(([step]) => step));
  const [first, last] =
    steps.length > 0 ? [Math.min(steps[0], ...steps.slice(0, 1)), Math.max(...ends(lines))] : [0, 0];
  const at = cursor?.step ?? last;
  const values = lines.map(({ name, colour, stretches }) => ({
    name,
    colour,
    value: valueAt(stretches, cursor?.step),
  }));
  const spoken = `step ${whole(at)}: ${values.map(({ name, value }) => `${lines.length > 1 ? `${name} ` : ""}${short(value)}`).join(", ")} ${view.y}`;
  const point = (event: PointerEvent) => {
    const box = place.current!.getBoundingClientRect();
    const step = scale.current?.invert(event.clientX - box.left);
    if (step !== undefined) pointAt({ stage: view.stage, step: Math.round(Math.min(Math.max(step, first), last)) });
  };
  const press = (event: KeyboardEvent) => {
    const move = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (event.key === "Escape") return pointAt(undefined);
    const to = event.key === "Home" ? first : event.key === "End" ? last : move && at + (move * (last - first)) / 100;
    if (to === undefined) return;
    event.preventDefault();
    pointAt({ stage: view.stage, step: Math.round(Math.min(Math.max(to, first), last)) });
  };
  return html`<figure class="chart">
    <figcaption><span class="name">${view.title}</span>${
      lines.length === 1
        ? html`<span class="value"><b>${short(values[0].value)}</b>${view.y === "ms" || view.y === "MiB" ? ` ${view.y}` : ""}<span class="at"> at step ${whole(at)}</span></span>`
        : html`<span class="value"><span class="at">step ${whole(at)}</span></span>`
    }</figcaption>
    <p class="unit">${view.y}${view.logY ? ", log scale" : ""}</p>
    <div class="plot" ref=${place} tabindex="0" role="slider" aria-label=${`${view.title}: ${view.y} over steps of ${view.stage}`}
      aria-valuemin=${first} aria-valuemax=${last} aria-valuenow=${at} aria-valuetext=${spoken}
      onPointerMove=${point} onPointerDown=${point} onPointerLeave=${() => pointAt(undefined)} onKeyDown=${press}
      onBlur=${() => pointAt(undefined)}><div class="rule" ref=${rule} hidden></div></div>
    <p class="unit end">step</p>
    ${
      lines.length > 1 &&
      html`<ul class="legend">${values.map(
        ({ name, colour, value }) =>
          html`<li><i style=${{ background: colour }}></i>${name} <b>${short(value)}</b></li>`,
      )}</ul>`
    }
    ${view.words && html`<p class="words">${view.words}</p>`}
  </figure>`;
}

const ends = (lines: readonly ChartLine[]): number[] =>
  lines.map(({ stretches }) => stretches[stretches.length - 1]?.[0] ?? 0);

/** The value of the stretch that a step is in; of the last without one. */
function valueAt(stretches: readonly Stretch[], step: number | undefined): number | null | undefined {
  if (step === undefined) return stretches[stretches.length - 1]?.[1];
  let [low, high] = [0, stretches.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (stretches[middle][0] <= step) low = middle;
    else high = middle;
  }
  return stretches[low]?.[1];
}
