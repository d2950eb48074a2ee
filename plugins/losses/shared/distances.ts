import { add, mean, sqrt, square, sub, sum } from "../../../core/ops/mod.ts";
import { sizeOf, type Tensor } from "../../../core/tensor/mod.ts";

/** How far samples a [B, …] are from b [B, …]: one number per sample, or one for all; their mean is the loss. */
export type Distance = (a: Tensor, b: Tensor) => Tensor;

/** d = mean (a − b)² */
export const l2: Distance = (a, b) => mean(square(sub(a, b)));

/** d = √(‖a − b‖² + c²) − c with c = scale·√D of samples of D elements. Song & Dhariwal 2023, arXiv:2310.14189. */
export const pseudoHuber =
  (scale: number): Distance =>
  (a, b) => {
    const c = scale * Math.sqrt(sizeOf(a.shape.slice(1)));
    const squares = sum(square(sub(a, b)), { axes: a.shape.map((_, axis) => axis).slice(1) });
    return sub(sqrt(add(squares, c ** 2)), c);
  };
