/** Starts programs as ranks of a job of Open MPI. */
import { spawn, spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import { build } from "esbuild";

/** How a job ended, what its ranks printed, and how long it took. */
export interface JobEnded {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** How a job is started. */
export interface Job {
  readonly env?: Record<string, string | undefined>;
  /** Options of mpirun. */
  readonly options?: readonly string[];
  readonly command?: string;
  /** Killed after this time (ms). */
  readonly limit?: number;
}

let found: boolean | undefined;

/** Whether there is an mpirun of Open MPI; tells once when there is none. */
export function hasMpirun(): boolean {
  if (found === undefined) {
    const { stdout } = spawnSync("mpirun", ["--version"], { encoding: "utf8" });
    found = /Open MPI/.test(stdout ?? "");
    if (!found) console.log("mpirun of Open MPI is not installed: tests of several ranks are skipped");
  }
  return found;
}

/** What Open MPI wants to hear from root, as containers and CI run. */
const asRoot = { OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };

/** Runs a command as so many ranks on this machine, however many cores it has. */
export const runRanks = (count: number, words: readonly string[], job: Job = {}): Promise<JobEnded> =>
  runJob(job.command ?? "mpirun", ["-n", `${count}`, "--oversubscribe", ...(job.options ?? []), ...words], job);

/** Runs a command that starts ranks. */
export function runJob(
  command: string,
  words: readonly string[],
  { env, limit = 60_000 }: Job = {},
): Promise<JobEnded> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, {
      env: { ...process.env, ...asRoot, ...env },
      timeout: limit,
      // mpirun takes its ranks along.
      killSignal: "SIGTERM",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr, seconds: (performance.now() - began) / 1000 }));
  });
}

/** A TypeScript program as a file that Node 20 runs; it stands in the project, so that it finds node_modules, unless `folder` is given. */
export async function bundled(file: string, folder = join(process.cwd(), ".test/ranks")): Promise<string> {
  const outfile = join(folder, `${basename(file, ".ts")}-${process.pid}.mjs`);
  await build({
    entryPoints: [file],
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
