import type { Backend } from "../../core/interfaces/backend.ts";
import type { ManifestCase } from "./goldenCase.ts";
import type { GoldenSet } from "./goldenSet.ts";
import { Unsupported } from "./kind.ts";
import { kinds } from "./kinds/mod.ts";

/** What became of a case. */
export interface Verdict {
  readonly name: string;
  readonly group: string;
  readonly outcome: "passed" | "failed" | "unsupported";
  /** Worst error in units of the tolerance; NaN when nothing was compared. */
  readonly ratio: number;
  /** How many tensors were compared. */
  readonly compared: number;
  /** Where the worst error is, or why there is none. */
  readonly where: string;
}

/** Runs one case on a backend. Never throws: a case that breaks has failed. */
export async function judge(
  entry: ManifestCase,
  set: GoldenSet,
  backend: Backend,
): Promise<Verdict> {
  const name = entry.file.replace(/\.safetensors$/, "");
  const { group } = entry;
  let [ratio, compared, where] = [0, 0, ""];
  const checkRatio = (found: number, what: string) => {
    compared++;
    if (found <= ratio) return;
    [ratio, where] = [Number.isNaN(found) ? Number.POSITIVE_INFINITY : found, what];
  };
  const verdict = (outcome: Verdict["outcome"], why = where): Verdict => ({
    name,
    group,
    outcome,
    compared,
    where: why,
    ratio: compared > 0 ? ratio : Number.NaN,
  });
  const kind = kinds.find((each) => each.matches(entry));
  if (!kind) return verdict("unsupported", "no kind of case runs it yet");
  try {
    const reference = set.case(name);
    const check = (actual: ArrayLike<number>, tensor: string) => {
      const { ratio: found, index, actual: got, expected } = reference.compare(actual, tensor);
      checkRatio(found, `${tensor}[${index}]: ${got}, should be ${expected}`);
    };
    await kind.run({ reference, set, backend, check, checkRatio });
  } catch (error) {
    return verdict(
      error instanceof Unsupported ? "unsupported" : "failed",
      (error as Error).message,
    );
  }
  if (compared === 0) return verdict("failed", "nothing was compared");
  return verdict(ratio <= 1 ? "passed" : "failed");
}
