// Reached from programs that browsers bundle too: node: modules are fetched, never imported.
import type { Cache } from "../../core/interfaces/cache.ts";
import { cachePath, hasCacheFolder, readCachedBytes, writeCached } from "./cacheFile.ts";
import { cacheFolder } from "./cacheFolder.ts";

/** Bytes of a file; what is larger is nothing that a run has kept. */
const MOST_BYTES = 2 ** 28;
/** Files that stay; of more, the oldest go. */
const MOST_FILES = 32;
/** What the names of a run's files begin with, beside those of other parts of the program. */
const PREFIX = "run-";

/** The cache folder as runs see it; undefined where there is none. `version` keeps apart what other versions have made. */
export function runCache(version: string): Cache | undefined {
  if (!hasCacheFolder()) return undefined;
  const nameOf = (name: string) => `${PREFIX}${version}-${name}`;
  return {
    read: (name) => readCachedBytes(nameOf(name), MOST_BYTES).catch(() => undefined),
    async write(name, bytes) {
      try {
        await writeCached(nameOf(name), bytes);
        await removeOldest();
      } catch {
        // The next run makes it again.
      }
    },
  };
}

async function removeOldest(): Promise<void> {
  const { promises } = process.getBuiltinModule("node:fs");
  const names = (await promises.readdir(cacheFolder())).filter((name) => name.startsWith(PREFIX));
  if (names.length <= MOST_FILES) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, time: (await promises.stat(cachePath(name))).mtimeMs })),
  );
  dated.sort((a, b) => b.time - a.time);
  for (const { name } of dated.slice(MOST_FILES)) await promises.rm(cachePath(name), { force: true });
}
