import { files } from "../../../backends/host/files.ts";
import { failure } from "../../../core/errors.ts";
import { numberNames, table } from "../../../plugins/observers/mod.ts";
import type { Given } from "../command.ts";
import { differences, readReport } from "./protocol.ts";

/** Puts two evaluations side by side, if they were made in the same way. */
export async function run(given: Given): Promise<number> {
  const [a, b] = await Promise.all(
    given.positionals.map(async (path) => readReport(new TextDecoder().decode(await files.read(path)), path)),
  );
  // Who drew the samples, and how, is what one compares.
  const apart = differences(a.protocol, b.protocol).filter((each) => !/^drawn(\.(role|nfe|sampler)[^:]*)?:/.test(each));
  if (apart.length > 0 && !given.on("anyway"))
    throw failure("E_CONFIG", `Cannot compare: the protocols differ in ${apart.join("; ")}`, {
      fix: "evaluate both in the same way, or look at them all the same with --anyway",
    });
  const show = (value: number, half: number | undefined) =>
    value.toPrecision(5) + (half === undefined ? "" : ` ± ${half.toPrecision(2)}`);
  const rows = numberNames([a.metrics, b.metrics]).map((name) => {
    const both = [a, b].map(({ metrics }) => ({ value: metrics[name], half: metrics[`${name} ±`] }));
    const [one, other] = both;
    // Of two independent sets.
    const half = one.half !== undefined && other.half !== undefined ? Math.hypot(one.half, other.half) : undefined;
    const cells = both.map(({ value, half }) => (value === undefined ? "" : show(value, half)));
    return [name, ...cells, cells.includes("") ? "" : show(other.value - one.value, half)];
  });
  process.stdout.write(`${table([["", ...given.positionals, "difference"], ...rows])}\n`);
  for (const each of apart) process.stdout.write(`protocols differ  ${each}\n`);
  return 0;
}
