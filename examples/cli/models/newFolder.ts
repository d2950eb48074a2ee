/** Folders that are there as a whole, or not at all. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, readdirSync, realpathSync, renameSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { files } from "../../../backends/host/files.ts";
import { failure } from "../../../core/errors.ts";
import { MODEL_PARTS } from "../../../core/interfaces/mod.ts";
import type { Given } from "../command.ts";
import { statOf } from "../statOf.ts";

/**
 * Whether a folder of this name can be written, asked before anything is read. With --force it takes the place of an empty one or of
 * a model's, and of no other.
 * @param sources what is read for it
 * @throws E_FILE when something else is in the way, or one of the sources, or the folder above it is missing or may not be written
 */
export function checkNewFolder(out: string, given: Given, ...sources: readonly (string | undefined)[]): void {
  const refuse = (why: string, fix: string) => failure("E_FILE", `Cannot write ${out}: ${why}`, { fix });
  const found = statOf(out);
  if (found && !found.isDirectory()) throw refuse("it is a file, should be a folder", "choose another name");
  if (found && !given.on("force"))
    throw refuse("it is there already", "replace it with --force, or choose another name");
  const source = found && sources.find((each) => each !== undefined && isWithin(each, out));
  if (source !== undefined) throw refuse(`${source} is read for it`, "choose another name");
  if (found && !isModel(readdirSync(out)))
    throw refuse("it holds something else than a model", "choose another name, or empty it first");
  const above = dirname(resolve(out));
  if (!statOf(above)?.isDirectory())
    throw refuse(`there is no folder ${above}`, "make the folder, or choose another name");
  try {
    accessSync(above, constants.W_OK);
  } catch {
    throw refuse(`the folder ${above} may not be written`, "choose another name, or change its permissions");
  }
}

/** Whether a path leads to a folder or into it. */
function isWithin(path: string, folder: string): boolean {
  if (!statOf(path)) return false;
  const [inner, outer] = [path, folder].map((each) => realpathSync(each));
  return inner === outer || inner.startsWith(outer + sep);
}

/** Whether a folder with these names is one of diffusers, or empty. */
const isModel = (names: readonly string[]): boolean =>
  names.length === 0 || names.includes("model_index.json") || MODEL_PARTS.some((part) => names.includes(part));

/**
 * Writes a folder under another name and renames it when it is complete; one that was there is removed only then. What a killed
 * process leaves is a draft beside it.
 */
export async function writeFolder<T>(out: string, write: (draft: string) => Promise<T>): Promise<T> {
  const mark = `${process.pid}-${randomUUID().slice(0, 8)}.tmp`;
  const [draft, old] = [`${resolve(out)}.${mark}`, `${resolve(out)}.old.${mark}`];
  try {
    await files.makeDir(draft);
    const result = await write(draft);
    const isThere = await files.exists(out);
    if (isThere) renameSync(out, old);
    renameSync(draft, out);
    if (isThere) await files.remove(old);
    return result;
  } catch (error) {
    await files.remove(draft);
    throw error;
  }
}
