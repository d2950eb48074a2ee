import { failure } from "../errors.ts";
import { parseJson } from "../json/mod.ts";
import type { FileSystem } from "./files.ts";

/** Bytes of a JSON file that says something of weights; an index of a million tensors has fewer. */
const MOST = 2 ** 27;

/**
 * The object that a JSON file of others holds, such as a `config.json`.
 * @throws E_FILE, or E_CHECKPOINT where it is no JSON, no object, or larger than any such file is
 */
export async function readJsonObject(files: FileSystem, path: string): Promise<Record<string, unknown>> {
  const refuse = (why: string, cause?: unknown) => failure("E_CHECKPOINT", `Cannot read ${path}: ${why}`, { cause });
  const bytes = await files.size(path);
  if (bytes > MOST) throw refuse(`it has ${bytes} bytes, should have ${MOST} at most`);
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(await files.readRange(path, 0, bytes)));
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw refuse("it is not JSON, should be a JSON object", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse("its JSON is not an object, should be one");
  return value as Record<string, unknown>;
}
