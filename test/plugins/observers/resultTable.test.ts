import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { judgementTable, resultTable } from "../../../plugins/observers/resultTable.ts";
import { table } from "../../../plugins/observers/table.ts";
import { play } from "./scene.ts";

const test = suite("plugins/observers/resultTable");

test("who, NFE and metrics as a table when the run ends", async () => {
  const bus = new EventBus();
  const printed: string[] = [];
  resultTable((text) => printed.push(text)).observe(bus);
  bus.emit("samples/judged", {
    who: "data",
    nfe: 0,
    count: 500,
    metrics: { acc: 0.987, fd: 1.45 },
  });
  bus.emit("samples/judged", {
    who: "teacher",
    nfe: 35,
    count: 500,
    metrics: { acc: 0.9, fd: 10.4 },
  });
  bus.emit("samples/judged", {
    who: "generator",
    nfe: 1,
    count: 500,
    metrics: { acc: 0.0123, fd: 175 },
  });
  assert.equal(printed, []);
  await play(bus);
  assert.equal(printed, [
    [
      "           NFE  samples     acc     fd",
      "real data    -      500   0.987  1.450",
      "teacher     35      500   0.900   10.4",
      "generator    1      500  0.0123  175.0",
    ].join("\n"),
  ]);
});

test("an interval stands behind its number, in one column", () => {
  const rows = [
    { who: "data", nfe: 0, count: 9, metrics: { fid: 2.5, "fid ±": 0.25, is: 9 } },
    { who: "a", nfe: 1, count: 9, metrics: { fid: 31.42, "fid ±": 12, is: 8 } },
  ];
  assert.is(
    judgementTable(rows),
    [
      "           NFE  samples            fid     is",
      "real data    -        9  2.500 ± 0.250  9.000",
      "a            1        9    31.4 ± 12.0  8.000",
    ].join("\n"),
  );
});

test("nothing judged, nothing printed", async () => {
  const bus = new EventBus();
  resultTable(() => assert.unreachable()).observe(bus);
  bus.emit("samples/judged", { who: "teacher", nfe: 35, count: 500, metrics: {} });
  await play(bus);
});

test("table: words to the left, numbers to the right, missing cells empty", () => {
  assert.is(table([["name", "n"], ["ab", "10"], ["c"]]), "name   n\nab    10\nc");
});

test.run();
