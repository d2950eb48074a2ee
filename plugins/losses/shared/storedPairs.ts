/** Pairs of a file as the own samples of a loss. */
import { failure } from "../../../core/errors.ts";
import { classesOf, type DataShape, type OwnSamples } from "../../../core/interfaces/mod.ts";
import type { Pairs } from "../../../core/io/mod.ts";
import { type Shape, sameShape, sizeOf } from "../../../core/tensor/mod.ts";

/** z [B, …], y [B, …] and, where there are classes, label [B] of pairs that `pairs` gives once they are read. */
export function storedPairs(data: DataShape, pairs: () => Pairs): OwnSamples {
  const { sample } = data;
  const x = { shape: sample, dtype: "f32" } as const;
  const width = sizeOf(sample);
  return {
    tensors: { z: x, y: x, ...(classesOf(data) > 0 && { label: { shape: [], dtype: "i32" } }) },
    batch(count, random) {
      const { shape, z, y, label } = pairs();
      const chosen = Array.from({ length: count }, () => Math.floor(random() * shape[0]));
      const rows = (from: Float32Array) => {
        const batch = new Float32Array(count * width);
        for (const [row, pair] of chosen.entries())
          batch.set(from.subarray(pair * width, (pair + 1) * width), row * width);
        return batch;
      };
      return {
        z: rows(z),
        y: rows(y),
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
