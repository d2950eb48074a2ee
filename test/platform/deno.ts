// The suites that need no bundle, and the command line, under Deno from source: `npm run test:deno [part of a path]`.
// Ends with the plain line `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Suites of these folders; those of webgpu/ and examples/ start programs of their own that esbuild bundles for Node, and one bundles a page. */
const folders = ["test/core", "test/plugins", "test/backends/reference", "test/backends/wasm", "test/engine"];
const [part = ""] = process.argv.slice(2);

const suites = folders
  .flatMap((folder) => {
    try {
      const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
      return names.map((name) => join(folder, name));
    } catch {
      return []; // a folder without tests
    }
  })
  .filter((file) => file.endsWith(".test.ts") && !file.endsWith("bundle.test.ts") && file.includes(part))
  .sort();

/** What uvu prints, to be counted as well. */
let printed = "";
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = ((text: string | Uint8Array) => {
  printed += typeof text === "string" ? text : new TextDecoder().decode(text);
  return write(text);
}) as typeof process.stdout.write;
const log = console.log;
console.log = (...words: unknown[]) => {
  printed += `${words.join(" ")}\n`;
  log(...words);
};

// As uvu's own runner does: suites enter a queue while they are imported, and run afterwards.
const globals = globalThis as { UVU_DEFER?: number; UVU_QUEUE?: unknown[][]; UVU_INDEX?: number };
globals.UVU_DEFER = 1;
const uvu = (await import("uvu")) as typeof import("uvu") & { exec(): Promise<void> };
globals.UVU_QUEUE ??= [];
let broken = 0;
for (const [index, file] of suites.entries()) {
  globals.UVU_INDEX = index;
  globals.UVU_QUEUE.push([file]);
  try {
    await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    broken++;
    console.error(`${file} can't be loaded:`, error);
  }
}
await uvu.exec();

const count = (label: string) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
  const plain = printed.replace(/\x1b\[\d+m/g, "");
  return Number(plain.match(new RegExp(`^\\s*${label}:\\s+(\\d+)`, "m"))?.[1] ?? 0);
};
let passed = count("Passed");
let failed = count("Total") - passed + broken;

/** A program, run from source with these flags; counts as one test. */
function program(flags: readonly string[], file: string, args: readonly string[], cwd = "."): void {
  const config = ["--config", resolve("deno.json")];
  const { status, stderr } = spawnSync(process.execPath, ["run", ...config, ...flags, resolve(file), ...args], {
    cwd,
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status === 0) passed++;
  else {
    failed++;
    console.error(`${file} ${args.join(" ")}: exit status ${status}\n${stderr}`);
  }
}
/** A command of the command line. */
const onestep = (...args: string[]) => program(["-A"], "examples/cli/main.ts", args);

if (part === "") {
  const folder = mkdtempSync(join(tmpdir(), "onestep-deno-"));
  const run = join(folder, "run");
  const quick = ["--steps", "20", "--teacher-steps", "20", "--set", "train.evaluateCount=200"];
  onestep("plugins");
  onestep("train", "gaussians", "--device", "wasm", "--out", run, ...quick);
  onestep("sample", run, "--device", "wasm", "--n", "50", "--out", join(folder, "samples.png"));
  const loss = ["--plugin", "examples/custom-loss/charbonnier.ts", "--set", "losses.charbonnier.weight=1"];
  onestep("train", "gaussians", "--device", "wasm", "--out", run, "--force", ...quick, ...loss);
  // The script of Deno, with no more rights than it says it needs: once with a run, once without.
  const rights = ["--allow-read", "--allow-write", "--allow-env", "--allow-sys"];
  program(["--check", ...rights], "examples/deno/main.ts", [run, join(folder, "samples.json")]);
  program(rights, "examples/deno/main.ts", [], folder);
  rmSync(folder, { recursive: true, force: true });
}

log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
