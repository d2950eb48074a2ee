import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { broadcastTo } from "./broadcastTo.ts";
import { mul } from "./mul.ts";
import { normalize, normalizeGrad } from "./normalize.ts";
import { defineOp, type Op, shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";
import { sigmoid } from "./sigmoid.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";
import { view } from "./view.ts";

/** What follows scale and shift. */
export type NormActivation = "none" | "silu";

interface GroupNormalizeAttrs {
  /** Added to the variance. */
  readonly eps: number;
  readonly activation: NormActivation;
}

type Affine = [scale: Tensor, shift: Tensor];

/**
 * Group normalisation with all that usually follows it, in one pass over the images:
 *   y = act(x̂ · scale + shift),  x̂ = (x − mean) / √(var + eps),  act(u) = u or u · sigmoid(u)
 * with mean and biased variance over the K channels of a group and their space S. scale and shift are one row (N = 1, the
 * parameters) or one for each image (N = B, adaptive normalisation).
 * Wu & He 2018, arXiv:1803.08494; Dhariwal & Nichol 2021, arXiv:2105.05233, section 3 (AdaGN).
 */
export const groupNormalize: Op<[x: Tensor, ...Affine, attrs?: GroupNormalizeAttrs]> = defineOp({
  name: "groupNormalize",
  signature: "x[B G K S], scale[N G K], shift[N G K] -> y[*]",
  attrs: { eps: 1e-5, activation: "none" } as GroupNormalizeAttrs,
  kinds: { activation: '"none" | "silu"' },
  shape: (shapes) => {
    checkRows("groupNormalize", shapes);
    return shapes.x;
  },
  vjp: ({ x, scale, shift, attrs }, dy) => {
    const all = groupNormalizeGrad(x, scale, shift, dy, attrs);
    const [B, G, K] = x.shape;
    const { dScale, dShift } = gradPlaces(x.shape);
    const ofAffine = (offset: number) => {
      const each = view(all, { offset, shape: [B, G, K] });
      return scale.shape[0] === B ? each : sum(each, { axes: [0], keepDims: true });
    };
    return {
      x: view(all, { offset: 0, shape: x.shape }),
      scale: ofAffine(dScale),
      shift: ofAffine(dShift),
    };
  },
  // du = dx̂·scale + x̂·dScale + dShift;  dy = act′(u)·du,  silu′(u) = s·(1 + u·(1 − s)) with s = sigmoid(u)
  jvp: ({ x, scale, shift, attrs: { eps, activation } }, { x: dx, scale: dScale, shift: dShift }) => {
    const [B, G, K, S] = x.shape;
    const asRows = (each: Tensor) => reshape(each, [B, G, K * S]);
    const asImages = (each: Tensor) => reshape(each, x.shape);
    const affine = (each: Tensor) => reshape(each, [...each.shape, 1]);
    const normalised = asImages(normalize(asRows(x), { eps }));
    const parts = [
      dx && mul(asImages(normalizeGrad(asRows(x), asRows(dx), { eps })), affine(scale)),
      dScale && mul(normalised, affine(dScale)),
      dShift && broadcastTo(affine(dShift), { shape: x.shape }),
    ].filter((part) => part !== undefined);
    const du = parts.reduce((a, b) => add(a, b));
    if (activation === "none") return du;
    const u = add(mul(normalised, affine(scale)), affine(shift));
    const s = sigmoid(u);
    return mul(du, mul(s, add(mul(u, sub(1, s)), 1)));
  },
  reference: ({ B, G, K, S, N, eps, activation }, x, scale, shift, y) =>
    forEachGroup({ B, G, K, S, N, eps }, x, (at, n, normalised) => {
      const u = normalised * scale[n] + shift[n];
      y[at] = activation === "silu" ? u / (1 + Math.exp(-u)) : u;
    }),
});

/** Where the three gradients lie in the flat result of `groupNormalizeGrad`; x's is first. Starts are multiples of 64. */
export function gradPlaces([B, G, K, S]: Shape): {
  readonly dScale: number;
  readonly dShift: number;
  readonly size: number;
} {
  const aligned = (elements: number) => Math.ceil(elements / 64) * 64;
  const dScale = aligned(B * G * K * S);
  const dShift = dScale + aligned(B * G * K);
  return { dScale, dShift, size: dShift + aligned(B * G * K) };
}

/**
 * Gradients of `groupNormalize`, laid out by `gradPlaces`; what lies between the parts is undefined. With du = dy · act'(u):
 *   dScale[b, c] = Σ_s du · x̂,   dShift[b, c] = Σ_s du
 *   dx = (du · scale − (Σ_c scale · dShift + x̂ · Σ_c scale · dScale) / (K·S)) / √(var + eps)
 */
export const groupNormalizeGrad: Op<[x: Tensor, ...Affine, dy: Tensor, attrs?: GroupNormalizeAttrs]> = defineOp({
  name: "groupNormalizeGrad",
  signature: "x[B G K S], scale[N G K], shift[N G K], dy[B G K S] -> all[*]",
  attrs: { eps: 1e-5, activation: "none" } as GroupNormalizeAttrs,
  kinds: { activation: '"none" | "silu"' },
  shape: (shapes) => {
    checkRows("groupNormalizeGrad", shapes);
    return [gradPlaces(shapes.x).size];
  },
  vjp: "first order only",
  reference: ({ B, G, K, S, N, eps, activation }, x, scale, shift, dy, all) => {
    const { dScale, dShift } = gradPlaces([B, G, K, S]);
    const sizes = { B, G, K, S, N, eps };
    // Slopes by what dx takes from x̂ and from 1, for each group.
    const along = new Float64Array(B * G);
    const level = new Float64Array(B * G);
    const du = (at: number, n: number, normalised: number) => {
      if (activation === "none") return dy[at];
      const u = normalised * scale[n] + shift[n];
      const s = 1 / (1 + Math.exp(-u));
      return dy[at] * s * (1 + u * (1 - s));
    };
    forEachGroup(sizes, x, (at, n, normalised) => {
      const channel = Math.floor(at / S);
      const d = du(at, n, normalised);
      all[dScale + channel] += d * normalised;
      all[dShift + channel] += d;
      along[Math.floor(channel / K)] += (d * scale[n] * normalised) / (K * S);
      level[Math.floor(channel / K)] += (d * scale[n]) / (K * S);
    });
    forEachGroup(sizes, x, (at, n, normalised, deviation) => {
      const group = Math.floor(at / (S * K));
      all[at] = (du(at, n, normalised) * scale[n] - level[group] - normalised * along[group]) / deviation;
    });
  },
});

function checkRows(op: string, { x, scale }: { x: Shape; scale: Shape }): void {
  if (scale[0] !== 1 && scale[0] !== x[0])
    throw shapeFailure(op, { x, scale }, `scale has ${scale[0]} rows, expected 1 or ${x[0]}`);
  if (sizeOf(x.slice(2)) === 0) throw shapeFailure(op, { x }, "a group without elements");
}

/** Calls with each element's index, the index of its scale, its normalised value and the group's √(var + eps). */
function forEachGroup(
  { B, G, K, S, N, eps }: Record<"B" | "G" | "K" | "S" | "N" | "eps", number>,
  x: ArrayLike<number>,
  visit: (at: number, affine: number, normalised: number, deviation: number) => void,
): void {
  const size = K * S;
  for (let row = 0; row < B * G; row++) {
    const start = row * size;
    let mean = 0;
    for (let i = 0; i < size; i++) mean += x[start + i] / size;
    let variance = 0;
    for (let i = 0; i < size; i++) variance += (x[start + i] - mean) ** 2 / size;
    const deviation = Math.sqrt(variance + eps);
    const affine = (N === 1 ? row % G : row) * K;
    for (let i = 0; i < size; i++)
      visit(start + i, affine + Math.floor(i / S), (x[start + i] - mean) / deviation, deviation);
  }
}
