/**
 * Reference numbers for tests. The whole collection is read from `../shared/golden` beside the project where it exists,
 * else the part that is committed under `test/golden`; the output says once which.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeSafetensors, type StoredTensor, toFloat32 } from "../../core/io/safetensors.ts";

interface ManifestCase {
  readonly file: string;
  readonly what: string;
  readonly config: unknown;
  readonly rtol: number;
  readonly notes: string;
  readonly tensors: Record<
    string,
    { dtype: string; shape: number[]; absmax: number; atol: number }
  >;
}

/** The project's folder: tests run from a bundle below it (Node) or from source (Deno). */
function projectRoot(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at))
    if (existsSync(join(at, "package.json"))) return at;
    else if (at === dirname(at))
      throw new Error(`Cannot find package.json above ${import.meta.url}`);
}

/** The folder of real data sets for tests; it may be absent. */
export const dataFolder: string = join(projectRoot(), "../shared/data");

const complete = join(projectRoot(), "../shared/golden");
const committed = join(projectRoot(), "test/golden");
/** True when every case is there, not only the committed part. */
export const isComplete: boolean = existsSync(join(complete, "manifest.json"));
/** The folder in use. */
export const goldenFolder: string = isComplete ? complete : committed;

const cases = new Map<string, ManifestCase>();
for (const entry of JSON.parse(readFileSync(join(goldenFolder, "manifest.json"), "utf8")).cases)
  cases.set(entry.file, entry);
console.log(
  isComplete
    ? `golden: all ${cases.size} cases, from ${goldenFolder}`
    : `golden: the ${cases.size} committed cases in test/golden; ../shared/golden is absent, so tests of the others do not run`,
);

/** Names of the cases that start with `prefix`, without `.safetensors`. */
export const goldenNames = (prefix = ""): string[] =>
  [...cases.keys()]
    .filter((file) => file.startsWith(prefix))
    .map((file) => file.replace(".safetensors", ""));

/** True when the case is there; tests of absent ones should be skipped, and are counted as skipped by the runner. */
export const hasGolden = (name: string): boolean => cases.has(`${name}.safetensors`);

/** The bytes of any file of the folder, such as one that must be refused. */
export const goldenBytes = (file: string): Uint8Array =>
  new Uint8Array(readFileSync(join(goldenFolder, file)));

/** How far `actual` is from a reference tensor, in units of the tolerance: at most 1 is within it. */
export interface Comparison {
  readonly ratio: number;
  /** Index, actual and reference value where the ratio is largest. */
  readonly index: number;
  readonly actual: number;
  readonly expected: number;
}

/** One case: its tensors, configuration and tolerances. */
export class GoldenCase {
  readonly name: string;
  readonly what: string;
  readonly notes: string;
  /** The configuration; `config.cases` describes the sub-cases `c0`, `c1`, … */
  // biome-ignore lint/suspicious/noExplicitAny: every case has its own layout, and a test knows the one it reads.
  readonly config: any;
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  readonly #manifest: ManifestCase;

  constructor(name: string, manifest: ManifestCase, bytes: Uint8Array) {
    this.name = name;
    this.what = manifest.what;
    this.notes = manifest.notes;
    this.config = manifest.config;
    this.#manifest = manifest;
    this.tensors = decodeSafetensors(bytes, name).tensors;
  }

  /** Tensor names that start with `prefix`, sorted. */
  names(prefix = ""): string[] {
    return Object.keys(this.tensors)
      .filter((name) => name.startsWith(prefix))
      .sort();
  }
  has(name: string): boolean {
    return name in this.tensors;
  }
  tensor(name: string): StoredTensor {
    if (!this.has(name))
      throw new Error(`Cannot find ${name} in ${this.name}: it has ${this.names().join(", ")}`);
    return this.tensors[name];
  }
  shape(name: string): readonly number[] {
    return this.tensor(name).shape;
  }
  /** Any tensor as float32. */
  f32(name: string): Float32Array {
    return toFloat32(this.tensor(name));
  }
  /** Any tensor as float64, without loss. */
  f64(name: string): Float64Array {
    const tensor = this.tensor(name);
    if (tensor.dtype === "F64") return tensor.data;
    if (tensor.dtype === "I64") return Float64Array.from(tensor.data, Number);
    return Float64Array.from(toFloat32(tensor));
  }
  /** Any tensor as int32, for indices and labels. */
  i32(name: string): Int32Array {
    return Int32Array.from(this.f64(name));
  }

  /** The worst of |actual - ref| / (atol + rtol |ref|), with the tolerances of the manifest. */
  compare(actual: ArrayLike<number>, name: string): Comparison {
    const expected = this.f64(name);
    if (actual.length !== expected.length)
      throw new Error(
        `${this.name} ${name}: ${actual.length} values, should be ${expected.length}`,
      );
    const { rtol } = this.#manifest;
    const { atol } = this.#manifest.tensors[name];
    let worst: Comparison = { ratio: 0, index: -1, actual: 0, expected: 0 };
    for (let index = 0; index < expected.length; index++) {
      const ratio = toleranceRatio(actual[index], expected[index], atol, rtol);
      if (ratio > worst.ratio)
        worst = { ratio, index, actual: actual[index], expected: expected[index] };
    }
    return worst;
  }

  /** Fails unless every value is within tolerance of the tensor `name`; returns the worst ratio. */
  within(actual: ArrayLike<number>, name: string): number {
    const worst = this.compare(actual, name);
    if (!(worst.ratio <= 1))
      throw new Error(
        `${this.name} ${name}[${worst.index}]: ${worst.actual}, should be ${worst.expected}; ` +
          `off by ${worst.ratio.toPrecision(3)} x the tolerance`,
      );
    return worst.ratio;
  }
}

function toleranceRatio(actual: number, expected: number, atol: number, rtol: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  const error = Math.abs(actual - expected);
  const tolerance = atol + rtol * Math.abs(expected);
  // A NaN or infinity on one side only is beyond any tolerance, and comparisons with NaN would let it pass.
  return Number.isFinite(error) && tolerance > 0 ? error / tolerance : Number.POSITIVE_INFINITY;
}

/** Reads a case by name, without `.safetensors`. */
export function golden(name: string): GoldenCase {
  const manifest = cases.get(`${name}.safetensors`);
  if (!manifest) throw new Error(`Cannot read golden case ${name}: it is not in ${goldenFolder}`);
  return new GoldenCase(name, manifest, goldenBytes(`${name}.safetensors`));
}
