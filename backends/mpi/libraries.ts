import { failure, OnestepError, some } from "../../core/errors.ts";
import { type Family, type LibraryVersion, versionOf } from "./abi.ts";
import type { Load, NativeLibrary } from "./functions.ts";
import type { Launch } from "./launcher.ts";

/** Names under which libmpi is looked for, as the system's loader finds them. `libmpi.so.12` is MPICH's and Intel's. */
const names: Record<string, Record<Family, readonly string[]>> = {
  linux: {
    "Open MPI": ["libmpi.so.40", "libmpi.so"],
    MPICH: ["libmpich.so.12", "libmpi.so.12", "libmpich.so", "libmpi.so"],
  },
  darwin: {
    "Open MPI": ["libmpi.40.dylib", "libmpi.dylib", "/opt/homebrew/lib/libmpi.dylib", "/usr/local/lib/libmpi.dylib"],
    MPICH: ["libmpi.12.dylib", "libmpi.dylib", "/opt/homebrew/lib/libmpi.dylib", "/usr/local/lib/libmpi.dylib"],
  },
};

/** The variable that names libmpi, where it is not found or another one is wanted. */
export const LIBRARY_VARIABLE = "ONESTEP_LIBMPI";

/** A library that fits the launcher, loaded. */
export interface FoundLibrary extends LibraryVersion {
  readonly library: NativeLibrary;
}

/** Open MPI before this has another ABI, or lacks what is needed here. */
const OLDEST = [4, 1];

/** Names to try, the likeliest first: all, so that a library of the wrong family can be named. */
export function candidates(platform: string, { family }: Pick<Launch, "family">, given: string | undefined): string[] {
  if (given) return [given];
  const known = names[platform] ?? { "Open MPI": [], MPICH: [] };
  const order: readonly Family[] = family === "MPICH" ? ["MPICH", "Open MPI"] : ["Open MPI", "MPICH"];
  return [...new Set(order.flatMap((each) => known[each]))];
}

/**
 * Finds the library that belongs to the launcher. What is tried is loaded for this file alone first: two MPI libraries that are
 * both visible to all would take each other's functions.
 */
export function findLibrary(load: Load, launch: Launch, platform: string, given: string | undefined): FoundLibrary {
  const wrong: string[] = [];
  const tried: string[] = [];
  for (const name of candidates(platform, launch, given)) {
    const version = look(load, name);
    tried.push(name);
    if (version === undefined) continue;
    if (version === "other") wrong.push(`${name} is no library of Open MPI or MPICH`);
    else if (launch.family && launch.family !== version.family) wrong.push(`${name} is ${version.title}`);
    else {
      checkAge(name, version);
      return { ...version, library: load(name, "global") };
    }
  }
  const both = `${launch.by} has started ${launch.size} ranks`;
  if (wrong.length > 0)
    throw failure("E_MPI", `Cannot join the other ranks: ${both}, but ${some(wrong, 3)}; both should be of one MPI`, {
      fix: `start with the mpirun of that library, or name the right libmpi with ${LIBRARY_VARIABLE}=PATH`,
    });
  throw failure("E_MPI", `Cannot join the other ranks: ${both}, but there is no libmpi (tried ${tried.join(", ")})`, {
    fix: `install the MPI library on every host, or name it with ${LIBRARY_VARIABLE}=PATH`,
  });
}

/** What a library is: undefined where there is none, `other` where it is not one that we know. */
function look(load: Load, name: string): LibraryVersion | "other" | undefined {
  let library: NativeLibrary;
  try {
    library = load(name, "local");
  } catch (error) {
    // Deno's permissions, say.
    if (error instanceof OnestepError) throw error;
    return undefined;
  }
  try {
    return versionOf(library) ?? "other";
  } catch {
    return "other"; // without the function
  } finally {
    library.unload();
  }
}

function checkAge(name: string, { family, title, numbers }: LibraryVersion): void {
  const [major = 0, minor = 0] = numbers;
  if (family !== "Open MPI" || major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw failure("E_MPI", `Cannot join the other ranks: ${name} is ${title}, should be ${OLDEST.join(".")} or newer`);
}
