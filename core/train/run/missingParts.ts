import { failure, OnestepError } from "../../errors.ts";
import type { FileSystem } from "../../io/files.ts";
import type { RunConfig } from "../config/config.ts";

/** Weights that are not there: whose, what is wrong, what helps, and whether a file is named. */
interface Missing {
  readonly role: string;
  readonly why: string;
  readonly fix: string;
  readonly isNamed: boolean;
}

/** Files of weights that a run is to start from and that are not there, a sentence each with what helps. */
async function missingStarts({ start = {} }: RunConfig, files: FileSystem | undefined) {
  const found: Missing[] = [];
  for (const [role, file] of Object.entries(start)) {
    const fix = `give the file of the ${role}'s weights with --set start.${role}=FILE`;
    if (file === null)
      found.push({
        role,
        why: `start.${role} is not given, should be a safetensors file of its weights`,
        fix,
        isNamed: false,
      });
    else if (files && !(await files.exists(file)))
      found.push({ role, why: `start.${role} is ${file}, and there is no such file`, fix, isNamed: true });
  }
  return found;
}

/**
 * Loads the data of a run, and says in one error what they and the `start` of its config lack, before anything is traced.
 * @throws E_DATA, E_CONFIG or E_FILE with all that is missing
 */
export async function withAllParts<T>(
  config: RunConfig,
  files: FileSystem | undefined,
  load: () => Promise<T>,
  { rolesOf, drop }: { rolesOf: (loaded: T) => readonly string[]; drop: (loaded: T) => Promise<void> },
): Promise<T> {
  const missing = await missingStarts(config, files);
  const whys = missing.map(({ why }) => why);
  const fixes = missing.map(({ fix }) => fix);
  let loaded: T;
  try {
    loaded = await load();
  } catch (error) {
    if (missing.length === 0 || !(error instanceof OnestepError) || error.code !== "E_DATA") throw error;
    throw failure("E_DATA", [error.message, ...whys].join("; and "), {
      cause: error,
      fix: [error.fix, ...fixes].join("; "),
    });
  }
  const roles = rolesOf(loaded);
  // A role that the method does not have is refused by its name.
  if (missing.length === 0 || missing.some(({ role }) => !roles.includes(role))) return loaded;
  await drop(loaded);
  const code = missing.some(({ isNamed }) => !isNamed) ? "E_CONFIG" : "E_FILE";
  throw failure(code, `Cannot start the run: ${whys.join("; and ")}`, { fix: fixes.join("; ") });
}
