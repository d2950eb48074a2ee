import { type StoredTensor, toFloat32 } from "../../core/io/safetensors.ts";
import { watched } from "./settings.ts";

/** What a manifest says of a case. */
export interface ManifestCase {
  readonly file: string;
  /** Such as `3-edm-nets`. */
  readonly group: string;
  readonly what: string;
  // biome-ignore lint/suspicious/noExplicitAny: every case has its own layout, and its kind knows it.
  readonly config: any;
  readonly rtol: number;
  readonly notes: string;
  // biome-ignore lint/suspicious/noExplicitAny: every case has its own layout, and its kind knows it.
  readonly extra?: any;
  readonly tensors: Readonly<Record<string, { dtype: string; shape: number[]; absmax: number; atol: number }>>;
}

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
  // biome-ignore lint/suspicious/noExplicitAny: every case has its own layout, and its kind knows it.
  readonly config: any;
  /** What else the manifest says of the case, such as tolerances of another kind. */
  // biome-ignore lint/suspicious/noExplicitAny: every case has its own layout, and its kind knows it.
  readonly extra: any;
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  readonly #manifest: ManifestCase;

  constructor(name: string, manifest: ManifestCase, tensors: Readonly<Record<string, StoredTensor>>) {
    this.name = name;
    this.what = manifest.what;
    this.notes = manifest.notes;
    this.config = manifest.config;
    this.extra = manifest.extra;
    this.#manifest = manifest;
    this.tensors = tensors;
  }
  /** The same case with settings that note what is read of them. */
  watched(): GoldenCase {
    const manifest = { ...this.#manifest, config: watched(this.#manifest.config) };
    return new GoldenCase(this.name, manifest, this.tensors);
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
    if (!this.has(name)) throw new Error(`Cannot find ${name} in ${this.name}: it has ${this.names().join(", ")}`);
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
      throw new Error(`${this.name} ${name}: ${actual.length} values, should be ${expected.length}`);
    const { rtol } = this.#manifest;
    const { atol } = this.#manifest.tensors[name];
    let worst: Comparison = { ratio: 0, index: -1, actual: 0, expected: 0 };
    for (let index = 0; index < expected.length; index++) {
      const ratio = toleranceRatio(actual[index], expected[index], atol, rtol);
      if (ratio > worst.ratio) worst = { ratio, index, actual: actual[index], expected: expected[index] };
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
