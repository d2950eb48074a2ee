/**
 * Reference numbers for tests. The whole collection is read from `../shared/golden` beside the project where it exists,
 * else the part that is committed under `test/golden`; the output says once which.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import type { Backend } from "../../core/interfaces/backend.ts";
import type { GoldenCase } from "../conformance/goldenCase.ts";
import { GoldenSet } from "../conformance/goldenSet.ts";
import { judge, type Verdict } from "../conformance/verdict.ts";

export type { GoldenCase };

/** The project's folder: tests run from a bundle below it (Node) or from source (Deno). */
export function projectRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at))
    if (existsSync(join(at, "package.json"))) return at;
    else if (at === dirname(at)) throw new Error(`Cannot find package.json above ${import.meta.url}`);
}

/** The folder of real data sets for tests; it may be absent. */
export const dataFolder: string = join(projectRoot(), "../shared/data");

const complete = (name: string) => join(projectRoot(), "../shared", name);
/** The whole collection of that name where it is there, else the committed part. */
const folderOf = (name: string): string =>
  existsSync(join(complete(name), "manifest.json")) ? complete(name) : join(projectRoot(), "test", name);

/** The folder in use. */
export const goldenFolder: string = folderOf("golden");
/** True when every case is there, not only the committed part. */
export const isComplete: boolean = goldenFolder === complete("golden");

/** The cases in use. */
export const goldenSet: GoldenSet = new GoldenSet(goldenFolder);
/** Cases of other methods than DMD2. */
export const rivalSet: GoldenSet = new GoldenSet(folderOf("golden-rivals"));
const files = goldenSet.entries.map(({ file }) => file);
console.log(
  isComplete
    ? `golden: all ${files.length} cases, from ${goldenFolder}`
    : `golden: the ${files.length} committed cases in test/golden; ../shared/golden is absent, so tests of the others do not run`,
);

/** Names of the cases that start with `prefix`, without `.safetensors`. */
export const goldenNames = (prefix = ""): string[] =>
  files.filter((file) => file.startsWith(prefix)).map((file) => file.replace(".safetensors", ""));

/** True when the case is there; tests of absent ones should be skipped, and are counted as skipped by the runner. */
export const hasGolden = (name: string): boolean => files.includes(`${name}.safetensors`);

/** The bytes of any file of the folder, such as one that must be refused. */
export const goldenBytes = (file: string): Uint8Array => goldenSet.bytes(file);

/** Reads a case by name, without `.safetensors`. */
export const golden = (name: string): GoldenCase => goldenSet.case(name);

/** Fails unless a backend computes all of a case within its tolerances, as `onestep conformance` does. */
export async function conforms(name: string, backend: Backend): Promise<Verdict> {
  const entry = goldenSet.entries.find(({ file }) => file === `${name}.safetensors`);
  if (!entry) throw new Error(`Cannot read golden case ${name}: it is not in ${goldenFolder}`);
  const verdict = await judge(entry, goldenSet, backend);
  assert.is(verdict.outcome, "passed", `${name}: ${verdict.ratio} x the tolerance, ${verdict.where}`);
  return verdict;
}
