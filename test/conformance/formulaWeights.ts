/** Weights that a case describes by a formula, as networks of their size would not fit among the cases. */
import { sizeOf } from "../../core/tensor/shape.ts";
import { type Settings, whole } from "./settings.ts";

/**
 * The value of every parameter of a case, by its name in the sorted list of names: u = hash(i + 1 + L·1000003)/2³² for
 * element i of parameter L, spread by what the parameter is. With `uniform` a parameter is u itself.
 */
export function formulaWeights(
  { keys, shapes, key_offset: first }: Settings,
  uniform: (name: string) => boolean = () => false,
): (name: string) => Float32Array {
  const all = whole(shapes);
  return (name) => {
    const place = keys.indexOf(name);
    if (place < 0) throw new Error(`the case has no parameter ${name}`);
    const shape = all[name] as readonly number[];
    const value = uniform(name) ? (u: number) => u : spread(name, shape);
    const start = 1 + (first + place) * 1000003;
    return Float32Array.from({ length: sizeOf(shape) }, (_, i) => value(hash(start + i) / 2 ** 32));
  };
}

/** How u in [0, 1) becomes a weight. */
function spread(name: string, [, ...rest]: readonly number[]): (u: number) => number {
  const bound = rest.length > 0 ? Math.sqrt(6 / sizeOf(rest)) : 0.1;
  if (rest.length > 0 || name.endsWith("bias") || name.endsWith("running_mean")) return (u) => bound * (2 * u - 1);
  return name.endsWith("running_var") ? (u) => 0.5 + u : (u) => 0.8 + 0.4 * u;
}

/** A 32-bit integer from another, with the multipliers of "lowbias32". */
function hash(from: number): number {
  let h = from >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
