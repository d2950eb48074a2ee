/** Files and entries that can't be used: one line for all of them. */
import { failure, type OnestepError, some } from "../../../core/errors.ts";

/** A file that is left out, and why. */
export interface Skipped {
  readonly path: string;
  readonly why: string;
}

/** A file with the reason, for what is told of those that were left out. */
export const reasonOf = ({ path, why }: Skipped): string => `${path} (${why})`;

/** The error that names the first bad file, how many more of all there are, and what cures it. */
export function unusable(bad: readonly Skipped[], total: number, fix: string): OnestepError {
  const [first, ...others] = bad;
  const rest =
    others.length > 0
      ? `; ${others.length} more of ${total} files cannot be used (${some(
          others.map(({ path }) => path),
          3,
        )})`
      : "";
  return failure("E_DATA", `Cannot use ${first.path}: ${first.why}${rest}`, { fix });
}
