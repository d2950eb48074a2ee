/** Pairs of a file as the own samples of a loss. */
import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import {
  classesOf,
  DATA_FOLDER,
  DATA_SHAPE,
  type DataShape,
  type Loss,
  type OwnSamples,
} from "../../../core/interfaces/mod.ts";
import { decodePairs, type Pairs } from "../../../core/io/mod.ts";
import { type Shape, sameShape, sizeOf } from "../../../core/tensor/mod.ts";

/**
 * z [B, …], y [B, …] and, where there are classes, label [B] of pairs that `pairs` gives once they are read; state0, state1, …
 * [B, …] of their paths at each of `places` once these are known.
 */
export function storedPairs(
  data: DataShape,
  pairs: () => Pairs,
  places: { readonly count: number; readonly of: () => readonly number[] } = { count: 0, of: () => [] },
): OwnSamples {
  const { sample } = data;
  const x = { shape: sample, dtype: "f32" } as const;
  const width = sizeOf(sample);
  const states = Array.from({ length: places.count }, (_, i) => `state${i}`);
  return {
    tensors: {
      z: x,
      y: x,
      ...Object.fromEntries(states.map((name) => [name, x])),
      ...(classesOf(data) > 0 && { label: { shape: [], dtype: "i32" } }),
    },
    batch(count, random) {
      const { shape, z, y, label, path } = pairs();
      const chosen = Array.from({ length: count }, () => Math.floor(random() * shape[0]));
      const rows = (from: Float32Array, each = 1, place = 0) => {
        const batch = new Float32Array(count * width);
        for (const [row, pair] of chosen.entries()) {
          const begin = (pair * each + place) * width;
          batch.set(from.subarray(begin, begin + width), row * width);
        }
        return batch;
      };
      const at = places.of();
      return {
        z: rows(z),
        y: rows(y),
        ...Object.fromEntries(states.map((name, i) => [name, rows(path!.states, path!.levels.length, at[i])])),
        ...(label && { label: Int32Array.from(chosen, (pair) => label[pair]) }),
      };
    },
  };
}

/** Throws E_PAIRS unless the pairs are of such samples. */
export function checkPairs({ shape, label }: Pairs, data: DataShape, path: string): void {
  const { sample } = data;
  const classes = classesOf(data);
  const refuse = (why: string) => failure("E_PAIRS", `Cannot train on the pairs of ${path}: ${why}`);
  const text = (of: Shape) => `[${of.join(", ")}]`;
  if (!sameShape(shape.slice(1), sample))
    throw refuse(`their samples are ${text(shape.slice(1))}, expected ${text(sample)} as in the dataset`);
  const known = classes > 0 ? `expected ${classes} classes as in the dataset` : "the dataset has none";
  if (label ? classes === 0 : classes > 0) throw refuse(`they have ${label ? "classes" : "no classes"}, ${known}`);
  const strange = label?.find((each) => each < 0 || each >= classes);
  if (strange !== undefined) throw refuse(`there is one of class ${strange}, ${known}`);
}

/**
 * What a loss on the pairs of a file has: it reads them, draws from them, and refuses those of another teacher.
 * @param owner the loss, whose option `pairs` is the path
 * @param levels noise levels of which it wants the states of the path
 */
export function pairsOf(
  owner: string,
  path: string,
  container: Resolver,
  levels: readonly number[] = [],
): Required<Pick<Loss, "own" | "load" | "checkTeacher">> {
  const shape = container.get(DATA_SHAPE);
  let read: ReturnType<typeof decodePairs> | undefined;
  let places: readonly number[] = [];
  return {
    own: storedPairs(shape, () => read!.pairs, { count: levels.length, of: () => places }),
    async load() {
      const { files } = container.get(DATA_FOLDER);
      if (path === "" || !files)
        throw failure(
          "E_OPTION",
          `Cannot train with ${owner}: ${path === "" ? "pairs is not given" : "the run has no files"}, expected a safetensors file`,
          { fix: `set losses.${owner}.pairs, or leave the loss out with losses.${owner}=off` },
        );
      read = decodePairs(await files.read(path), path);
      checkPairs(read.pairs, shape, path);
      const known = read.pairs.path?.levels ?? [];
      places = levels.map((level) => stateNear(owner, level, known, path));
    },
    checkTeacher(fingerprint) {
      const { teacher } = read!.info;
      if (teacher !== fingerprint)
        throw failure(
          "E_PAIRS",
          `Cannot train on the pairs of ${path}: they are of teacher ${brief(teacher)}, this run's is ${brief(fingerprint)}`,
        );
    },
  };
}

/** Enough of a fingerprint to tell two apart. */
const brief = (fingerprint: string): string => fingerprint.slice(0, 12);

/** States within this of a level, relative to it, are at it. */
const NEAR = 2e-3;

/**
 * Which of the states has that level.
 * @throws E_CONFIG in the name of `owner` when none has, with the levels beside it
 */
export function stateNear(owner: string, level: number, known: readonly (number | undefined)[], whose: string): number {
  const place = known.findIndex((each) => each !== undefined && Math.abs(each / level - 1) < NEAR);
  if (place >= 0) return place;
  const beside = known
    .filter((each) => each !== undefined)
    .sort((a, b) => Math.abs(Math.log(a / level)) - Math.abs(Math.log(b / level)))
    .slice(0, 3)
    .map((each) => +each.toPrecision(5));
  throw failure(
    "E_CONFIG",
    `Cannot use ${owner}: there is no state of the teacher's path at level ${level}, ${whose} has some at ${beside.join(", ") || "no level that it names"}`,
    { fix: "ask for one of these levels" },
  );
}
