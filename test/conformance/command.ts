import { failure } from "../../core/errors.ts";
import type { Given } from "../../examples/cli/command.ts";
import { describeBackend, openBackend } from "../../examples/cli/device.ts";
import { table } from "../../plugins/observers/mod.ts";
import { GoldenSet } from "./goldenSet.ts";
import { judge, type Verdict } from "./verdict.ts";

/** Groups that have to run: a case of theirs that is unsupported, or in part, is a fault. The others come later. */
const required = ({ name, group }: Verdict) => /^[1-5]/.test(group) || /^(unet_|timestep_embeddings)/.test(name);

/** Holds the product to reference numbers of the public PyTorch implementations. */
export async function run(given: Given): Promise<number> {
  const set = new GoldenSet(given.positionals[0]);
  const only = pattern(given.text("only") ?? "");
  const entries = set.entries.filter(({ file }) => only.test(file));
  if (entries.length === 0)
    throw failure("E_USAGE", `Cannot run conformance: no case of ${set.folder} matches ${only}`);
  const backend = await openBackend(given.text("device"));
  process.stderr.write(`device  ${describeBackend(backend)}\n`);
  const verdicts: Verdict[] = [];
  for (const entry of entries) {
    const verdict = await judge(entry, set, backend);
    verdicts.push(verdict);
    if (process.stderr.isTTY) process.stderr.write(`\r${verdicts.length}/${entries.length}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r");
  await backend.close();
  process.stdout.write(`${table([HEAD, ...verdicts.map(row)])}\n${summary(verdicts)}\n`);
  const fault = (each: Verdict) => each.outcome === "failed" || (each.outcome !== "passed" && required(each));
  return verdicts.some(fault) ? 1 : 0;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw failure("E_USAGE", `Cannot run conformance: --only ${text}: ${(error as Error).message}`);
  }
}

const HEAD = ["case", "error / tolerance", "tensors", "", "worst at"];

const row = ({ name, ratio, compared, outcome, where }: Verdict) => [
  name,
  Number.isNaN(ratio) ? "" : ratio.toPrecision(3),
  compared === 0 ? "" : `${compared}`,
  outcome === "passed" ? "pass" : outcome === "failed" ? "FAIL" : outcome,
  where.replace(/\s+/g, " "),
];

function summary(verdicts: readonly Verdict[]): string {
  const count = (outcome: Verdict["outcome"]) => verdicts.filter((each) => each.outcome === outcome).length;
  const partly = count("partly") > 0 ? `, ${count("partly")} partly unsupported` : "";
  return `${count("passed")} passed, ${count("failed")} failed, ${count("unsupported")} unsupported${partly}`;
}
