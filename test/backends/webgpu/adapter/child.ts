import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** How a program ended and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = process.cwd();
/** Deno from npm, if it is installed. */
export const deno = [join(root, "node_modules/.bin/deno")].find(existsSync);

/** Bundles a program that imports from `./` as if it stood in backends/; returns the bundle's path. */
export async function bundle(source: string): Promise<string> {
  const name = createHash("sha256").update(source).digest("hex").slice(0, 12);
  const outfile = join(root, ".test/children", `${name}.mjs`);
  await build({
    stdin: { contents: source, resolveDir: join(root, "backends"), loader: "ts" },
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
  });
  return outfile;
}

/** Runs a command; a child that does not end by itself in `limit` milliseconds is killed, which `signal` shows. */
export function run(
  command: string,
  args: string[],
  { env = {}, limit = 30_000 }: { env?: Record<string, string>; limit?: number } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      timeout: limit,
      killSignal: "SIGKILL",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
