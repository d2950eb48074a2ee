import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { clamp } from "./clamp.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { exp } from "./exp.ts";
import { log } from "./log.ts";
import { max } from "./max.ts";
import { droppedShape, type ReduceOptions, reducedAxes, reduceKinds } from "./reduction.ts";
import { reshape } from "./reshape.ts";
import { stopGradient } from "./stopGradient.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

const LARGEST = 3.4028234663852886e38;

/** y = ln Σ eˣ over axes, computed as m + ln Σ e^(x − m) with m = max x. */
export const logsumexp: Composed<[x: Tensor, options?: ReduceOptions]> = defineComposed({
  name: "logsumexp",
  parameters: ["x: Tensor", reduceKinds],
  build: (x, options = {}) => {
    const axes = reducedAxes("logsumexp", x.shape, options.axes);
    // m cancels, so it carries no gradient. It is kept finite: ∞ − ∞ would be NaN where the answer is ±∞.
    const top = max(x, { axes, keepDims: true });
    const m = stopGradient(clamp(top, { min: -LARGEST, max: LARGEST }));
    const y = add(log(sum(exp(sub(x, m)), { axes, keepDims: true })), m);
    return options.keepDims ? y : reshape(y, droppedShape(x.shape, axes));
  },
});
