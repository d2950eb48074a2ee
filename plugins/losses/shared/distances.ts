import { failure } from "../../../core/errors.ts";
import type { DataShape } from "../../../core/interfaces/mod.ts";
import { decodeSafetensors, toFloat32 } from "../../../core/io/safetensors.ts";
import { Scope } from "../../../core/nn/mod.ts";
import { add, constantArray, mean, sqrt, square, sub, sum } from "../../../core/ops/mod.ts";
import { formatShape, sameShape, sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { lpips, SMALLEST_IMAGE } from "./lpips.ts";

/** How far samples a [B, …] are from b [B, …]: a number each, or one for all, whose mean is the loss. */
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

/**
 * LPIPS with the weights of a file; tensors that it does not need are passed over, such as `scaling_layer.shift`.
 * @param size images that are smaller are enlarged to it; 0 takes them as they are
 */
export function perceptual(bytes: Uint8Array, file: string, size: number): Distance {
  const weights = decodeSafetensors(bytes, file).tensors;
  const made = new Map<string, Tensor>();
  const scope = new Scope((name, shape) => {
    const known = made.get(name);
    if (known) return known;
    const found = weights[name];
    if (!found || !sameShape(found.shape, shape))
      throw failure(
        "E_CHECKPOINT",
        `Cannot take LPIPS from ${file}: ${name} is ${found ? formatShape(found.shape) : "missing"}, expected ${formatShape(shape)}`,
        { fix: 'store the state dict of lpips.LPIPS(net="vgg"), version 0.1, as safetensors' },
      );
    // A constant is uploaded once a program, and no optimiser sees it.
    const tensor = constantArray(toFloat32(found), shape);
    made.set(name, tensor);
    return tensor;
  });
  return (a, b) => lpips(scope, a, b, size || undefined);
}

/** Throws E_OPTION unless the samples are images that LPIPS can see. */
export function checkImages({ sample }: DataShape, size: number): void {
  const [channels, H, W] = sample;
  if (sample.length !== 3 || (channels !== 1 && channels !== 3))
    throw failure(
      "E_OPTION",
      `Cannot configure regression: distance is lpips and samples are ${formatShape(sample)}, should be [1 or 3, H, W]`,
    );
  if (size === 0 && Math.min(H, W) < SMALLEST_IMAGE)
    throw failure(
      "E_OPTION",
      `Cannot configure regression: lpipsSize is 0 and images are ${H} x ${W}, should be at least ${SMALLEST_IMAGE} x ${SMALLEST_IMAGE}`,
    );
}
