import { type Stats, statSync } from "node:fs";
import { failure } from "../../core/errors.ts";

/** Reasons for which nothing can be at a path, whoever looks. */
const NOTHING = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/**
 * What is at a path that somebody typed; undefined where nothing is, also where a part of the path is a file.
 * @throws E_FILE where it can't be told, such as for want of permission
 */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (NOTHING.has(code)) return undefined;
    throw failure("E_FILE", `Cannot look at ${path}: ${code === "EACCES" ? "permission denied" : code}`, {
      cause: error,
    });
  }
}
