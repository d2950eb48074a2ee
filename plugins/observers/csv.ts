import { definePlugin } from "../../core/plugin/mod.ts";
import { outputOf } from "./shared/outputOf.ts";
import { type ScalarFormat, type StoredReading, scalarFile } from "./shared/scalarFile.ts";

/** One number per line: spreadsheets make a column of each name, and a name that comes later changes no line before. */
const HEAD = "step,stage,stage_step,group,name,value\n";
const NEWLINE = 10;

/**
 * Numbers of a run as a table that spreadsheets and pandas read, RFC 4180: `step` counts over all stages, `stage_step` in its stage;
 * `group` is a role for losses and gradient norms, `diagnosis/` or `metrics/` and a role for others. Numbers that are not finite are
 * written NaN, Infinity and -Infinity.
 */
export const csv = definePlugin({
  name: "csv",
  kind: "observer",
  about: "Writes losses, diagnosis and metrics as a table, scalars.csv in the folder of the run",
  options: {},
  create: (_, container) => scalarFile("csv", outputOf("csv", container), "scalars.csv", csvFormat),
});

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The format of `csv`. */
export const csvFormat: ScalarFormat = {
  head: () => encoder.encode(HEAD),
  encode: ({ step, stage, stageStep, group, values }) => {
    const rows = Object.entries(values).map(([name, value]) => [step, stage, stageStep, group, name, value]);
    return encoder.encode(rows.map((row) => `${row.map(cell).join(",")}\n`).join(""));
  },
  headEnd: (bytes) => (decoder.decode(bytes.subarray(0, HEAD.length)) === HEAD ? HEAD.length : undefined),
  *readings(bytes, from): Generator<StoredReading> {
    for (let at = from; at < bytes.length; ) {
      const end = bytes.indexOf(NEWLINE, at) + 1;
      if (end === 0) return;
      const cells = cellsOf(decoder.decode(bytes.subarray(at, end - 1)));
      const step = Number(cells[0]);
      if (cells.length !== 6 || !Number.isSafeInteger(step)) return;
      yield { step, group: cells[3], end };
      at = end;
    }
  },
};

/** A cell, in quotes where it holds what divides cells. A name has no line break. */
const cell = (value: string | number): string => {
  const text = String(value).replace(/[\r\n]+/g, " ");
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const cellsOf = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );
