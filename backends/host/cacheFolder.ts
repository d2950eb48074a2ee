// Reached from the WebGPU adapters, which browsers bundle too: node: modules are fetched, never imported.

/**
 * A folder that outlives the run, for what can be made again (unpacked drivers, tuning results): `$XDG_CACHE_HOME/onestep`,
 * `~/.cache/onestep`, or, where neither can be written, a private folder in the temporary one.
 */
export function cacheFolder(): string {
  const { join } = process.getBuiltinModule("node:path");
  const { homedir, tmpdir } = process.getBuiltinModule("node:os");
  const bases = [process.env.XDG_CACHE_HOME, join(homedir(), ".cache")];
  for (const base of bases) {
    if (base && makeWritable(base) && makeWritable(join(base, "onestep"))) return join(base, "onestep");
  }
  const folder = join(tmpdir(), `onestep-${process.getuid?.() ?? "cache"}`);
  if (makeWritable(folder) && isPrivate(folder)) return folder;
  throw new Error(`no cache folder can be written, neither in ${bases[1]} nor ${folder}`);
}

/**
 * The folder `target`, made by `fill` when it is missing. It is filled under another name and then renamed, so that
 * processes that start together never see a half-made one: the first to finish wins, the others use its result.
 */
export async function makeOnce(target: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const { existsSync, promises } = process.getBuiltinModule("node:fs");
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}-${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await promises.mkdir(draft, { recursive: true });
    await fill(draft);
    await promises.rename(draft, target);
  } catch (error) {
    await promises.rm(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

function makeWritable(folder: string): boolean {
  const fs = process.getBuiltinModule("node:fs");
  try {
    // Not recursive: a home folder that is missing is not ours to make.
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, { mode: 0o700 });
  } catch {
    // Another process may just have made it; whether it can be used is asked below.
  }
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Libraries are loaded from here, so a folder in a place that all can write must be ours and closed to others. */
function isPrivate(folder: string): boolean {
  const found = process.getBuiltinModule("node:fs").lstatSync(folder);
  const mine = process.getuid === undefined || found.uid === process.getuid();
  return found.isDirectory() && mine && (process.platform === "win32" || (found.mode & 0o022) === 0);
}
