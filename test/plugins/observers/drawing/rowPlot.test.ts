import { suite } from "uvu";
import * as assert from "uvu/assert";
import { rowPlot } from "../../../../plugins/observers/drawing/rowPlot.ts";

const test = suite("plugins/observers/rowPlot");
const count = (text: string, part: string) => text.split(part).length - 1;

test("a panel per number: a dot for each seed, a mean with its value, and every row's name once", async () => {
  const svg = await rowPlot(
    ["first", "second <b>"],
    [
      { label: "ours", values: [[1, 3], [900]], colour: "#0072b2" },
      { label: "theirs", values: [[2.5], []], colour: "#d55e00" },
    ],
    { title: "Table & all", notes: ["a note"] },
  );
  assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  for (const text of ["Table &amp; all", "a note", "ours", "theirs", "second &lt;b&gt;"])
    assert.ok(svg.includes(text), text);
  assert.is(count(svg, "<circle"), 4);
  for (const mean of [">2<", ">900<", ">2.5<"]) assert.ok(svg.includes(mean), mean);
  assert.is(count(svg, ">first<"), 1);
});

test("nothing known, or nothing finite: the rows without dots", async () => {
  const svg = await rowPlot(["first"], [{ label: "ours", values: [[Number.NaN]], colour: "red" }], { title: "" });
  assert.is(count(svg, "<circle"), 0);
  assert.not.match(svg, /NaN|Infinity/);
});

test.run();
