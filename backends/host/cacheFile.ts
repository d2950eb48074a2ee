// Reached from the WebGPU backend, which browsers bundle too: node: modules are fetched, never imported.
import { cacheFolder } from "./cacheFolder.ts";

/** The part of Deno used here; its own types would clash with Node's. */
interface DenoPermissions {
  readonly permissions: { querySync(wish: { name: string }): { readonly state: string } };
}

/**
 * Whether there is a cache folder to ask for. Not in browsers, nor in Deno without all permissions that it takes: nobody is
 * asked for them.
 */
export function hasCacheFolder(): boolean {
  if (!globalThis.process?.versions?.node) return false;
  const { Deno } = globalThis as { Deno?: DenoPermissions };
  const needed = ["env", "read", "sys", "write"];
  return Deno === undefined || needed.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}

/** The path of a file of the cache. @throws when no cache folder can be written */
export const cachePath = (name: string): string => process.getBuiltinModule("node:path").join(cacheFolder(), name);

/**
 * The text of a file of the cache; undefined when there is none.
 * @throws when it is no plain file, or larger than `most` bytes, and as the file system does
 */
export async function readCached(name: string, most: number): Promise<string | undefined> {
  const bytes = await readCachedBytes(name, most);
  return bytes && new TextDecoder().decode(bytes);
}

/** The bytes of a file of the cache, as `readCached` gives its text. */
export async function readCachedBytes(name: string, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { promises } = process.getBuiltinModule("node:fs");
  const path = cachePath(name);
  const found = await promises.stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!found) return undefined;
  // A pipe in its place would be waited for without end.
  if (!found.isFile()) throw new Error("it is no file");
  if (found.size > most) throw new Error(`it has ${found.size} bytes, expected at most ${most}`);
  // A copy: what Node reads a small file into, it shares with others.
  return new Uint8Array(await promises.readFile(path));
}

/** Puts a file into the cache, whole: other processes see what was there before or all of the new one. */
export async function writeCached(name: string, content: string | Uint8Array): Promise<void> {
  const { promises } = process.getBuiltinModule("node:fs");
  const path = cachePath(name);
  const draft = `${path}.${process.pid}-${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await promises.writeFile(draft, content, { flag: "wx", mode: 0o600 });
    await promises.rename(draft, path);
  } catch (error) {
    await promises.rm(draft, { force: true });
    throw error;
  }
}
