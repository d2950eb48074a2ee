import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FILES = ["package.json", "package-lock.json"];

/**
 * Installs the engines of test/bench/package.json in the folder of the bundled bench, where none of them gets into the
 * product's dependencies. Does nothing when they are there already. Returns what went wrong.
 */
export function installPeers(source: string, target: string): string | undefined {
  const textOf = (folder: string, file: string) =>
    existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : undefined;
  const same = FILES.every((file) => textOf(source, file) === textOf(target, file));
  if (same && existsSync(join(target, "node_modules/.package-lock.json"))) return undefined;
  for (const file of FILES) copyFileSync(join(source, file), join(target, file));
  const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stderr, error } = spawnSync("npm", words, { cwd: target, encoding: "utf8" });
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim().split("\n")[0] ?? "npm failed";
}
