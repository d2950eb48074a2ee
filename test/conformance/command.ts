import { failure, OnestepError } from "../../core/errors.ts";
import { decodeSafetensors, decodeTorch } from "../../core/io/mod.ts";
import type { Given } from "../../examples/cli/command.ts";
import { describeBackend, openBackend, tuning } from "../../examples/cli/device.ts";
import { table } from "../../plugins/observers/mod.ts";
import { GoldenSet } from "./goldenSet.ts";
import { judge, type Verdict } from "./verdict.ts";

/** Groups that run whole: a case of theirs that is unsupported, or in part, is a fault. Those of other methods come one by one. */
const required = ({ group }: Verdict) => /^[1-8][a-z]?-/.test(group);

/** Holds the product to reference numbers of the public PyTorch implementations. */
export async function run(given: Given): Promise<number> {
  const set = new GoldenSet(given.positionals[0]);
  const only = pattern(given.text("only") ?? "");
  const entries = set.entries.filter(({ file }) => only.test(file));
  const hostile = set.hostile.filter((file) => only.test(file));
  if (entries.length + hostile.length === 0)
    throw failure("E_USAGE", `Cannot run conformance: no case of ${set.folder} matches ${only}`);
  const backend = await openBackend(given.text("device"), tuning(given));
  process.stderr.write(`device  ${describeBackend(backend)}\n`);
  const verdicts: Verdict[] = [];
  for (const entry of entries) {
    const verdict = await judge(entry, set, backend);
    verdicts.push(verdict);
    if (process.stderr.isTTY) process.stderr.write(`\r${verdicts.length}/${entries.length}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r");
  await backend.close();
  const taken: string[] = [];
  for (const file of hostile) if (!(await isRefused(set.bytes(file), file))) taken.push(file);
  if (verdicts.length > 0) process.stdout.write(`${table([HEAD, ...verdicts.map(row)])}\n${summary(verdicts)}\n`);
  if (hostile.length > 0)
    process.stdout.write(`${hostile.length - taken.length} of ${hostile.length} broken and hostile files refused\n`);
  for (const file of taken) process.stdout.write(`${file} was read, should be refused\n`);
  const fault = (each: Verdict) => each.outcome === "failed" || (each.outcome !== "passed" && required(each));
  return verdicts.some(fault) || taken.length > 0 ? 1 : 0;
}

/** Whether a file that nobody should read is refused with a code, by the reader that its name asks for. */
async function isRefused(bytes: Uint8Array, file: string): Promise<boolean> {
  try {
    if (file.includes(".safetensors")) decodeSafetensors(bytes, file);
    else for (const tensor of Object.values((await decodeTorch(bytes, file)).tensors)) await tensor.read();
    return false;
  } catch (error) {
    return error instanceof OnestepError;
  }
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
