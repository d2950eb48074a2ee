import { failure } from "../errors.ts";
import { add, linear as affine, conv2d, mul } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { layoutOf } from "./parameters.ts";
import { fanInUniform, type LowRank, type Scope, zeros } from "./scope.ts";

/**
 * Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): a layer's frozen y gets y + (alpha/rank)·B(A(x)) added. A takes x
 * to `rank` channels and starts at random, B back to the layer's and starts at zero, so that a new adapter changes nothing.
 * Parameters as peft names them: `lora_A.default.weight`, `lora_B.default.weight`, beside the layer's own.
 * @returns y itself where the scope's layer has no adapter (`Scope.adapted`)
 */
export function linearWithLora(scope: Scope, x: Tensor, y: Tensor): Tensor {
  const path = scope.lowRank;
  if (!path) return y;
  const [inputs, outputs] = [x.shape[x.shape.length - 1], y.shape[y.shape.length - 1]];
  const A = down(scope, [path.rank, inputs]);
  const B = up(scope, [outputs, path.rank]);
  return add(y, mul(affine(affine(x, A), B), path.alpha / path.rank));
}

/** The same beside a convolution: A has the layer's kernel, stride and padding, B is 1×1. x, y [B, C, H, W]. */
export function convWithLora(
  scope: Scope,
  x: Tensor,
  y: Tensor,
  { kernel, stride, padding }: { kernel: number; stride: number; padding: number },
): Tensor {
  const path = scope.lowRank;
  if (!path) return y;
  const A = down(scope, [path.rank, x.shape[1], kernel, kernel]);
  const B = up(scope, [y.shape[1], path.rank, 1, 1]);
  const narrow = conv2d(x, A, { stride: [stride, stride], padding: [padding, padding] });
  return add(y, mul(conv2d(narrow, B), path.alpha / path.rank));
}

/** Whether a parameter, by its name, is an adapter's: what training with LoRA changes. */
export const isLora = (parameter: string): boolean => /\.lora_[AB]\./.test(`.${parameter}`);

const down = (scope: Scope, shape: number[]): Tensor =>
  scope
    .at("lora_A")
    .at("default")
    .parameter("weight", shape, fanInUniform(product(shape)));
const up = (scope: Scope, shape: number[]): Tensor =>
  scope.at("lora_B").at("default").parameter("weight", shape, zeros);

const product = (shape: readonly number[]): number => shape.slice(1).reduce((a, b) => a * b, 1);

/** The scope of a network with its adapters; the scope itself where they are off. */
export const adapted = (scope: Scope, lora: LowRank): Scope => (lora.rank > 0 ? scope.adapted(lora) : scope);

/** Throws E_OPTION where no layer of the network has one of the names: nothing would be trained. */
export function checkTargets(plugin: string, { rank, targets }: LowRank, apply: (scope: Scope) => void): void {
  if (rank === 0) return;
  const layers = layoutOf(apply).entries.map(({ name }) => name.slice(0, Math.max(name.lastIndexOf("."), 0)));
  if (layers.some((layer) => targets.some((target) => `.${layer}`.endsWith(`.${target}`)))) return;
  const ends = [...new Set(layers.map((layer) => layer.replace(/^.*\.(?=\D)/, "")))].filter(Boolean);
  throw failure(
    "E_OPTION",
    `Cannot configure ${plugin}: lora.targets are ${targets.join(", ") || "none"}, no layer of the network ends so; its layers end in ${ends.slice(0, 12).join(", ")}${ends.length > 12 ? ", …" : ""}`,
  );
}
