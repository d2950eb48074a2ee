import { uniform } from "../../helpers/uniform.ts";

/** Rows of independent normal numbers [count, D], the same for every seed. */
export function normals(count: number, D: number, seed: number): Float64Array {
  const random = uniform(seed);
  return Float64Array.from(
    { length: count * D },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}
