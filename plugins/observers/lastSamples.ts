import type { Observer } from "../../core/interfaces/mod.ts";
import { sizeOf } from "../../core/tensor/mod.ts";

/** Samples of a role, as it drew them last. */
export interface DrawnSet {
  readonly role: string;
  readonly step: number;
  readonly nfe: number;
  /** Of one sample. */
  readonly shape: readonly number[];
  /** [count, …shape] */
  readonly x: Float32Array;
}

/** Images of a role that are kept; of points in the plane, more. */
const [IMAGES, POINTS] = [20, 4000];

/** Keeps the first samples that each role drew last, in the order in which roles began to draw. */
export function lastSamples(): Observer & { readonly sets: ReadonlyMap<string, DrawnSet> } {
  const sets = new Map<string, DrawnSet>();
  return {
    name: "last-samples",
    sets,
    observe(bus) {
      bus.on(
        "sample/drawn",
        async ({ role, step, nfe, samples }) => {
          const [count, ...shape] = samples.shape;
          const kept = Math.min(count, shape.length === 3 ? IMAGES : POINTS) * sizeOf(shape);
          sets.set(role, { role, step, nfe, shape, x: (await samples.read()).slice(0, kept) });
        },
        "last-samples",
      );
    },
  };
}
