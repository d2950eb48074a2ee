import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LOSSES } from "./data.ts";
import { failedResult, firstResult, jsonOf, lossFault, resultOf } from "./results.ts";
import { tableHead, tableRows } from "./table.ts";

const test = suite("bench/results");

const round = (wallMs: number[], cpuMs: number, peakBytes: number | null = null) => ({
  wallMs,
  cpuMs,
  peakBytes,
  dispatches: 3,
  submits: 1,
  newBindGroups: 0,
  newBuffers: 0,
});
const ours = { case: "matmul 512", engine: "onestep", device: "wasm" };
const theirs = { case: "matmul 512", engine: "jax-js", device: "webgpu" };

test("resultOf: median of all calls, median CPU time of the rounds, operations by the wall time", () => {
  const result = resultOf(ours, [round([4, 2], 5, 100), round([6], 3, 90), round([2], 9)], {
    flops: 9e6,
  });
  assert.is(result.wallMs, 3);
  assert.is(result.bestMs, 2);
  assert.is(result.cpuMs, 5);
  assert.is(result.gflops, 3);
  assert.is(result.peakBytes, 100);
});

test("lossFault: within 1e-4 of every known loss, or the first step that is not", () => {
  assert.is(lossFault(LOSSES), undefined);
  const off = LOSSES.map((loss, i) => (i === 2 ? loss + 2e-4 : loss));
  assert.match(lossFault(off)!, /^loss of step 3 is 0\.432958, expected 0\.432758$/);
  assert.match(lossFault(LOSSES.slice(0, 5))!, /^loss of step 6 is undefined/);
  assert.match(lossFault([Number.NaN])!, /^loss of step 1 is NaN/);
});

test("jsonOf: the promised keys and no others, but for a reason", () => {
  const keys = [
    "case",
    "engine",
    "device",
    "wallMs",
    "cpuMs",
    "gflops",
    "dispatches",
    "submits",
    "newBindGroups",
    "newBuffers",
    "peakBytes",
  ];
  const { results } = JSON.parse(
    jsonOf([
      resultOf(ours, [round([1], 1)], { note: "a note" }),
      failedResult(theirs, "it crashed"),
      firstResult(ours, 1, 2),
    ]),
  );
  assert.equal(
    results.map((result: object) => Object.keys(result)),
    [keys, [...keys, "failed"], keys],
  );
});

test("tableRows: ratios in our rows only, a reason instead of figures, a verdict after them", () => {
  const rows = tableRows([
    resultOf(ours, [round([2], 2)], {}),
    resultOf(theirs, [round([9], 9)], { wrong: "loss of step 1 is 0" }),
    failedResult({ ...theirs, engine: "tfjs" }, "no adapter"),
  ]);
  assert.is(rows[0].length, tableHead().indexOf("× jax-js") + "× jax-js".length);
  assert.match(rows[0], /^matmul 512 +onestep wasm +2 .* 4\.50$/);
  assert.match(rows[1], /^matmul 512 +jax-js webgpu +9 .* {2}wrong: loss of step 1 is 0$/);
  assert.match(rows[2], /^matmul 512 +tfjs webgpu +failed: no adapter$/);
});

test("tableRows: an older build is held against on the same device, from every Node", () => {
  const rows = tableRows([
    resultOf({ ...ours, device: "webgpu" }, [round([7], 7)], {}),
    resultOf({ ...ours, engine: "onestep@24" }, [round([2], 2)], {}),
    resultOf({ ...ours, engine: "base" }, [round([6], 6)], {}),
  ]);
  assert.is(rows[1].length, tableHead().indexOf("× base") + "× base".length);
  assert.match(rows[1], /^matmul 512 +onestep@24 wasm +2 .* 3$/);
  assert.match(rows[0], /^matmul 512 +onestep webgpu +7 .* -$/);
  assert.match(rows[2], /^matmul 512 +base wasm +6 .* -$/);
});

test.run();
