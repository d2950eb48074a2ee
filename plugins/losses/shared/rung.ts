import type { Resolver } from "../../../core/di/mod.ts";
import { type Condition, GENERATOR } from "../../../core/interfaces/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/**
 * Tells critics which step of the generator an image is from: adds the entry `rung` [B], the level of that step, for those who
 * listen to it. Real samples in the same places are told the same, so that they are compared with the images of one step. Adds
 * nothing where the generator's samples draw their steps.
 */
export function rungTeller(container: Resolver): (condition: Condition, x: Tensor) => Condition {
  const rungs = container.has(GENERATOR) ? container.get(GENERATOR).rungs : undefined;
  return (condition, { shape }) => (rungs ? { ...condition, rung: rungs(shape[0]) } : condition);
}
