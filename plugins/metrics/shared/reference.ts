import type { Cache, Pace } from "../../../core/interfaces/mod.ts";
import { decodeSafetensors, encodeSafetensors, sha256, toFloat32 } from "../../../core/io/mod.ts";
import type { Rows } from "../../../core/nn/mod.ts";
import { type FeatureStatistics, featureStatistics } from "./frechet.ts";
import type { FeatureRows } from "./kernelDistance.ts";

/** What metrics compare with: features of the data, and their moments. */
export interface Reference {
  /** All features of a name, a row for each image. */
  rows(feature: string): Promise<FeatureRows>;
  statistics(feature: string): Promise<FeatureStatistics>;
}

/** Where features come from, and where they are kept. */
export interface ReferenceSource {
  /** Passes all images of the data through the extractor. */
  compute(): Promise<{ readonly rows: Rows; readonly count: number }>;
  readonly cache?: Cache;
  /** Everything that decides the features: data, pixels, network, device. Undefined where data can't tell what they are. */
  identity(): Promise<readonly unknown[] | undefined>;
  readonly pace?: Pace;
}

/** Changed whenever the same identity gives other numbers. */
const RECIPE = 1;
/** Features that take more bytes are made again each time; their moments are kept whatever their number. */
const MOST_BYTES = 2 ** 27;

/** Features are computed once, and not at all where an earlier evaluation has kept what is asked for. */
export function reference({ compute, cache, identity, pace }: ReferenceSource): Reference {
  let computed: ReturnType<ReferenceSource["compute"]> | undefined;
  let keyed: Promise<string | undefined> | undefined;
  const rowsBy = new Map<string, Promise<FeatureRows>>();
  const statisticsBy = new Map<string, Promise<FeatureStatistics>>();
  const key = async () => {
    const parts = cache && (await identity());
    return parts && sha256(new TextEncoder().encode(JSON.stringify([RECIPE, ...parts])));
  };
  /** What was kept under a name; else made now, and kept where it is worth it. */
  const kept = async <T>(name: string, codec: Codec<T>, make: () => Promise<T>): Promise<T> => {
    const hash = await (keyed ??= key());
    if (!cache || hash === undefined) return make();
    const file = `${name}-${hash}.safetensors`;
    const bytes = await cache.read(file);
    const found = bytes && decoded(bytes, file, codec);
    if (found) return found;
    const made = await make();
    const encoded = codec.encode(made);
    if (encoded) await cache.write(file, encoded);
    return made;
  };
  const rows = (feature: string) =>
    kept(`features-${feature}`, rowsCodec, async () => {
      const { rows: all, count } = await (computed ??= compute());
      const data = all[feature] as Float32Array;
      return { data, D: data.length / count };
    });
  const statistics = (feature: string) =>
    kept(`moments-${feature}`, statisticsCodec, async () => {
      const { data, D } = await own.rows(feature);
      return featureStatistics(data, D, { pace });
    });
  const own: Reference = { rows: memoised(rowsBy, rows), statistics: memoised(statisticsBy, statistics) };
  return own;
}

const memoised =
  <T>(known: Map<string, Promise<T>>, make: (feature: string) => Promise<T>) =>
  (feature: string): Promise<T> => {
    const found = known.get(feature) ?? make(feature);
    known.set(feature, found);
    return found;
  };

/** A value as the bytes of a file. */
interface Codec<T> {
  encode(value: T): Uint8Array | undefined;
  decode(bytes: Uint8Array, file: string): T | undefined;
}

/** What a file holds; undefined when it is not what should be there. */
function decoded<T>(bytes: Uint8Array, file: string, codec: Codec<T>): T | undefined {
  try {
    return codec.decode(bytes, file);
  } catch {
    return undefined;
  }
}

const rowsCodec: Codec<FeatureRows> = {
  encode: ({ data, D }) =>
    4 * data.length > MOST_BYTES
      ? undefined
      : encodeSafetensors({ rows: { dtype: "F32", shape: [data.length / D, D], data: Float32Array.from(data) } }),
  decode(bytes, file) {
    const { rows } = decodeSafetensors(bytes, file).tensors;
    const data = toFloat32(rows);
    return rows.shape.length === 2 ? { data, D: rows.shape[1] } : undefined;
  },
};

const statisticsCodec: Codec<FeatureStatistics> = {
  encode({ mean, covariance, count }) {
    const D = mean.length;
    return encodeSafetensors({
      mean: { dtype: "F64", shape: [D], data: mean },
      covariance: { dtype: "F64", shape: [D, D], data: covariance },
      count: { dtype: "F64", shape: [1], data: Float64Array.of(count) },
    });
  },
  decode(bytes, file) {
    const { mean, covariance, count } = decodeSafetensors(bytes, file).tensors;
    const values = [mean, covariance, count].map(({ data }) => data);
    const whole = values.every((each) => each instanceof Float64Array) && covariance.shape[0] === mean.shape[0];
    const [m, c, [n]] = values as Float64Array[];
    return whole ? { mean: m, covariance: c, count: n } : undefined;
  },
};
