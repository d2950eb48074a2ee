import type { Backend } from "../../core/interfaces/backend.ts";
import type { GoldenCase, ManifestCase } from "./goldenCase.ts";
import { type Job, Unsupported } from "./kind.ts";
import { kinds } from "./kinds/mod.ts";
import { refuseUnread, type Settings, settle } from "./settings.ts";

/** What became of a case. */
export interface Verdict {
  readonly name: string;
  readonly group: string;
  /** `partly` when what was compared agrees, and some sub-cases are unsupported. */
  readonly outcome: "passed" | "failed" | "partly" | "unsupported";
  /** Worst error in units of the tolerance; NaN when nothing was compared. */
  readonly ratio: number;
  /** How many tensors were compared. */
  readonly compared: number;
  /** Where the worst error is, or why there is none. */
  readonly where: string;
  /** Sub-cases that could not be run, each with its reason. */
  readonly unsupported: readonly string[];
}

/** Runs one case on a backend. Never throws: a case that breaks has failed. */
export async function judge(entry: ManifestCase, set: Job["set"], backend: Backend): Promise<Verdict> {
  const name = entry.file.replace(/\.safetensors$/, "");
  const { group } = entry;
  const found: { ratio: number; what: string }[] = [];
  const compared = new Set<string>();
  const unsupported: string[] = [];
  const verdict = (outcome: Verdict["outcome"], why?: string): Verdict => {
    const worst = found.reduce((a, b) => (b.ratio > a.ratio ? b : a), { ratio: 0, what: "" });
    return {
      name,
      group,
      outcome,
      compared: found.length,
      where: [why ?? worst.what, ...unsupported].filter(Boolean).join("; "),
      ratio: found.length > 0 ? worst.ratio : Number.NaN,
      unsupported,
    };
  };
  const refused = (why: string) => {
    found.length = 0;
    return verdict("unsupported", why);
  };
  const kind = kinds.find((each) => each.matches(entry));
  if (!kind) return refused("no kind of case runs it yet");
  try {
    const reference = set.case(name).watched();
    const checkRatio: Job["checkRatio"] = (ratio, what) => {
      found.push({ ratio: Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio, what });
    };
    const check: Job["check"] = (actual, tensor) => {
      compared.add(tensor);
      const { ratio, index, actual: got, expected } = reference.compare(actual, tensor);
      checkRatio(ratio, `${tensor}[${index}]: ${got}, should be ${expected}`);
    };
    const each: Job["each"] = async (run) => {
      for (const sub of reference.config.cases as readonly Settings[]) {
        const before = found.length;
        try {
          await run(sub);
          refuseUnread(sub, kind.silent);
        } catch (error) {
          if (!(error instanceof Unsupported)) throw error;
          found.length = before;
          unsupported.push(`sub-case ${sub.id} is unsupported: ${error.message}`);
          for (const tensor of reference.names(`${sub.id}.`)) compared.add(tensor);
        }
        settle(sub);
      }
    };
    await kind.run({ reference, set, backend, check, checkRatio, each });
    refuseUnread(reference.config, kind.silent);
    if (!kind.ownRule) refuseLeft(reference, compared);
  } catch (error) {
    const { message } = error as Error;
    return error instanceof Unsupported ? refused(message) : verdict("failed", message);
  }
  if (found.length === 0) return verdict(unsupported.length > 0 ? "unsupported" : "failed", "nothing was compared");
  if (found.some(({ ratio }) => ratio > 1)) return verdict("failed");
  return unsupported.length > 0 ? verdict("partly", "the rest agrees") : verdict("passed");
}

/** What a case calls its results, alone or of a sub-case; those that begin with `f64.` are the same in float64. */
const RESULT = /^(\w+\.)?(f64\.)?(out|int_out|grad)(\.|$)/;

/** @throws Unsupported when a result was compared neither as it is nor in float64 */
function refuseLeft(reference: GoldenCase, compared: ReadonlySet<string>): void {
  const plain = (name: string) => name.replace(/(^|\.)f64\./, "$1");
  const known = new Set([...compared].map(plain));
  const left = reference.names().filter((name) => RESULT.test(name) && !known.has(plain(name)));
  if (left.length > 0) throw new Unsupported(`nothing computes ${left.join(", ")}`);
}
