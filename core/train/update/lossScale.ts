import { constant, state } from "../../ops/mod.ts";
import { FIRST_SCALE, nextScale } from "../../optim/mod.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** How a role's loss is scaled: not at all, by a number, or by one that follows from the gradients. */
export type LossScaling = "none" | number | "dynamic";

/** The scale of an update, in its program. */
export interface LossScale {
  /** Scalar: the loss is multiplied by it, and the gradient divided. */
  readonly scale: Tensor;
  /** What it becomes after an update; `sound` is 0 where the gradient was not finite. */
  updates(sound: Tensor): [Tensor, Tensor][];
}

/** States of a dynamic scale and their first values. */
export const scaleStates = (role: string, scaling: LossScaling): readonly [string, number][] =>
  scaling === "dynamic"
    ? [
        [`${role}.loss-scale`, FIRST_SCALE],
        [`${role}.good-updates`, 0],
      ]
    : [];

/** The scale of a role's loss, or undefined where it has none. */
export function lossScaleOf(role: string, scaling: LossScaling): LossScale | undefined {
  if (scaling === "none") return undefined;
  if (scaling !== "dynamic") return { scale: constant(scaling), updates: () => [] };
  const [scale, good] = scaleStates(role, scaling).map(([name]) => state(name, []));
  return {
    scale,
    updates(sound) {
      const next = nextScale(scale, good, sound);
      return [
        [scale, next.scale],
        [good, next.good],
      ];
    },
  };
}
