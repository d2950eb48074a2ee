import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lossPlot } from "../../../../plugins/observers/drawing/lossPlot.ts";

const test = suite("core/io/lossPlot");
const steps = Array.from({ length: 400 }, (_, i) => i);
const falling = steps.map((step) => Math.exp(-step / 100) + 0.1);

test("two series: an SVG file with title, labels, legend, a raw and a smooth line each", async () => {
  const svg = await lossPlot(
    [
      { name: "fake-score", steps, values: falling },
      { name: "gan", steps, values: falling.map((value) => 2 * value) },
    ],
    { title: "mnist", xLabel: "turn", yLabel: "nats", width: 500, height: 300 },
  );
  assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.match(svg, /viewBox="0 0 500 300"/);
  for (const text of ["mnist", "turn", "nats", "fake-score", "gan"]) assert.ok(svg.includes(`${text}`), text);
  for (const colour of ["#0072b2", "#d55e00"]) assert.is(linesIn(svg, colour).length, 2);
});

test("names and titles are text, never markup", async () => {
  const svg = await lossPlot([{ name: '<script>"&', steps: [0, 1], values: [1, 2] }], {
    title: "<b>&",
  });
  assert.not.match(svg, /<script>|<b>/);
  assert.match(svg, /&lt;script&gt;/);
  assert.match(svg, /&lt;b&gt;&amp;/);
});

test("values that are not finite leave gaps, and so do those that have no logarithm", async () => {
  const values = falling.map((value, i) => (i > 100 && i < 200 ? Number.NaN : i > 300 ? -1 : value));
  const svg = await lossPlot([{ name: "a", steps, values }], { logY: true, smoothing: 1 });
  const paths = linesIn(svg, "#0072b2");
  assert.is(paths.length, 1);
  assert.is(paths[0].match(/M/g)?.length, 2);
  assert.not.match(svg, /NaN|Infinity/);
});

test("nothing to draw is said, not an error", async () => {
  const none = [Number.NaN, Number.POSITIVE_INFINITY];
  for (const series of [[], [{ name: "a", steps: [0, 1], values: none }], [{ name: "a", steps: [], values: [] }]])
    for (const logY of [false, true]) assert.match(await lossPlot(series, { logY }), /no finite value/);
});

test("a single point is a dot", async () => {
  const svg = await lossPlot([{ name: "a", steps: [3], values: [5] }], { logY: true });
  assert.match(svg, /<circle/);
});

test("a hundred thousand points make a small file", async () => {
  const many = Array.from({ length: 100_000 }, (_, i) => i);
  const svg = await lossPlot([{ name: "a", steps: many, values: many.map((i) => Math.sin(i)) }]);
  assert.ok(svg.length < 100_000, `${svg.length} characters`);
});

test("refuses series whose lengths differ or whose names are equal", async () => {
  const fails = async (series: { name: string; steps: number[]; values: number[] }[]) =>
    lossPlot(series).then(
      () => "",
      (error: Error) => error.message,
    );
  assert.match(
    await fails([{ name: "a", steps: [1, 2], values: [1] }]),
    /^Cannot plot a: there are 2 steps and 1 values/,
  );
  const twin = { name: "a", steps: [1], values: [1] };
  assert.match(await fails([twin, twin]), /two series are called "a"/);
});

/** The path elements of one colour. */
function linesIn(svg: string, colour: string): string[] {
  return (svg.match(/<path [^>]*>/g) ?? []).filter((path) => path.includes(`stroke="${colour}"`));
}

test.run();
