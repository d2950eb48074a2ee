import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";

/** How a run of the program ended and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let bundling: Promise<string> | undefined;

/** The command line's program, bundled once; it stands in the project so that it finds node_modules. */
export function program(): Promise<string> {
  bundling ??= (async () => {
    const outfile = join(process.cwd(), ".test/cli-under-test/main.mjs");
    await build({
      entryPoints: ["examples/cli/main.ts"],
      outdir: dirname(outfile),
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      packages: "external",
      platform: "node",
      format: "esm",
      target: "node20",
      logLevel: "warning",
    });
    return outfile;
  })();
  return bundling;
}

/** Starts `onestep <args>`, in `cwd` if given; `ended` resolves when it is over. One that does not end within `timeout` ms is killed. */
export async function start(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
  timeout = 60_000,
): Promise<{ child: ChildProcess; ended: Promise<Ended> }> {
  const child = spawn(process.execPath, [await program(), ...args], {
    // What a person, or the runner of the tests, has set must not change what is tested.
    env: { ...process.env, ONESTEP_ADAPTER: "", FORCE_COLOR: undefined, ...env },
    cwd,
    timeout,
    killSignal: "SIGKILL",
  });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (text) => (stdout += text));
  child.stderr?.on("data", (text) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

/** Runs `onestep <args>` to its end. */
export const onestep = async (...args: string[]): Promise<Ended> => (await start(args)).ended;

/** A new folder under the system's temporary one, and the function that removes it. */
export function scratch(): { path: (name: string) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "onestep-test-"));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A run that takes a second on the reference backend; `train` is laid over its numbers. */
export function tinyConfig(
  file: string,
  train: Record<string, unknown> = {},
  teacher: Record<string, unknown> = { steps: 9, batch: 8 },
): string {
  const config = {
    dataset: { use: "gaussians" },
    network: { use: "mlp", width: 8, depth: 1, bands: 2 },
    teacher: { use: "edm" },
    generator: { use: "few-step", sigmas: [10] },
    critic: { use: "fake-score", headWidth: 4 },
    sampler: { use: "heun", steps: 3, sigmaMax: 10 },
    losses: {
      "edm-denoising": {},
      "distribution-matching": { levels: 20 },
      "fake-score": { levels: 20 },
      "gan-generator": { levels: 20 },
      "gan-discriminator": { levels: 20 },
    },
    optimizers: {
      teacher: { use: "adamw", lr: 0.01 },
      generator: { use: "adamw", lr: 0.001 },
      critic: { use: "adamw", lr: 0.002 },
    },
    averages: { generator: { use: "ema", halfLife: 2, unit: "updates" } },
    metrics: { "gaussian-modes": { directions: 4 } },
    method: { use: "dmd2", teacher },
    train: {
      steps: 12,
      batch: 8,
      logEvery: 3,
      sampleEvery: 5,
      evaluateCount: 50,
      ...train,
    },
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}
