import { classesOf, type Dataset } from "../../core/interfaces/mod.ts";
import { hostRandom } from "../../core/random/mod.ts";
import { sizeOf } from "../../core/tensor/mod.ts";

/** Real points in the plane that a picture shows. */
const POINTS = 4000;
/** A stream that training does not use. */
const STREAM = 1000;

/**
 * Real samples to show beside drawn ones, the same ones on every picture: points, or images with classes in turn as samples have
 * them. A class that is rare in the data may leave its place empty.
 */
export async function realSamples({ shape, batch }: Dataset, count: number): Promise<Float32Array> {
  const random = hostRandom(0, 0, STREAM);
  if (shape.sample.length === 1) return (await batch(POINTS, random)).x;
  const classes = classesOf(shape);
  if (classes === 0) return (await batch(count, random)).x;
  const size = sizeOf(shape.sample);
  const { x, condition } = await batch(Math.min(4 * count, MOST), random);
  const rows = Array.from(condition.label, (label, row) => ({ label, row }));
  // White, as the sheet.
  const shown = new Float32Array(count * size).fill(1);
  for (let place = 0; place < count; place++) {
    const found = rows.findIndex(({ label }) => label === place % classes);
    if (found < 0) continue;
    const [{ row }] = rows.splice(found, 1);
    shown.set(x.subarray(row * size, (row + 1) * size), place * size);
  }
  return shown;
}

/** Images that are looked through for one of each class. */
const MOST = 400;
