// `node build.mjs soak fuzz [--only PARSER] --count 100000 --seed 1`, and `--case K` for one of them: odd files for every reader.
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { type FuzzFault, fuzzParser } from "./fuzzing/fuzzParser.ts";
import { parsers } from "./fuzzing/parsers.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    case: { type: "string" },
    list: { type: "boolean", default: false },
  },
});
const chosen = parsers.filter(({ name }) => values.only === undefined || name === values.only);
if (values.list || chosen.length === 0) {
  for (const { name } of parsers) console.log(name);
  process.exit(values.list ? 0 : 2);
}
const seed = Number(values.seed);
const one = values.case === undefined ? undefined : Number(values.case);

/** What is at work: the parser and the case. */
const now = new Float64Array(new SharedArrayBuffer(16));
/** A reader that never comes back is told by another thread, which ends the program: after so much CPU time (µs) for one case. */
const PATIENCE = 30e6;
const watch = new Worker(
  `const { workerData: [now, names, patience] } = require("node:worker_threads");
  const spent = () => process.cpuUsage().user + process.cpuUsage().system;
  let [last, since] = ["", 0];
  setInterval(() => {
    const current = names[now[0]] + ": case " + now[1];
    if (current !== last) [last, since] = [current, spent()];
    if (spent() - since < patience) return;
    require("node:fs").writeSync(2, current + " does not end\\n");
    process.kill(process.pid, "SIGKILL");
  }, 1000);`,
  { eval: true, workerData: [now, chosen.map(({ name }) => name), PATIENCE] },
);
watch.unref();
for (const kind of ["uncaughtException", "unhandledRejection"])
  process.on(kind, (error) => {
    console.error(`${chosen[now[0]].name}: case ${now[1]} threw where nobody listened`, error);
    process.exit(1);
  });

/** Faults of one kind, which differ in numbers and names only, are told once. */
function kindsOf(faults: readonly FuzzFault[]): (FuzzFault & { times: number })[] {
  const kinds = new Map<string, FuzzFault & { times: number }>();
  for (const fault of faults) {
    const key = fault.what.replace(/\d+|".*"/g, "").slice(0, 60);
    kinds.set(key, { ...(kinds.get(key) ?? fault), times: (kinds.get(key)?.times ?? 0) + 1 });
  }
  return [...kinds.values()].slice(0, 20);
}

let failed = false;
for (const [i, parser] of chosen.entries()) {
  const began = performance.now();
  const { cases, taken, refused, faults, factor, heap, slowest } = await fuzzParser(parser, {
    seed,
    first: one ?? 0,
    count: one === undefined ? Number(values.count) : 1,
    begin: (number) => now.set([i, number]),
  });
  failed ||= faults.length > 0;
  const codes = Object.entries(refused).map(([code, count]) => `${code} ${count}`);
  console.log(
    [
      `${parser.name}: ${cases} cases in ${((performance.now() - began) / 1000).toFixed(0)} s`,
      `${faults.length} faults`,
      `taken ${taken}`,
      ...codes,
      `arrays ${factor.toFixed(1)} × the input (at most ${parser.factor})`,
      `heap ${(heap / 2 ** 20).toFixed(1)} MiB`,
      `slowest ${slowest.ms.toFixed(0)} ms (case ${slowest.number})`,
    ].join(", "),
  );
  for (const { what, number, times } of kindsOf(faults))
    console.log(`  ${times} ×, first with --only "${parser.name}" --seed ${seed} --case ${number}: ${what}`);
}
process.exitCode = failed ? 1 : 0;
