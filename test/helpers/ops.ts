import { grad } from "../../core/graph/mod.ts";
import * as ops from "../../core/ops/mod.ts";
import { type Pattern, parseSignature } from "../../core/ops/signature.ts";
import { normalsFrom, philox, uniformFrom } from "../../core/random/philox.ts";
import { type DType, type OpSpec, type Shape, sizeOf, type Tensor } from "../../core/tensor/mod.ts";

/** Values for one input of an op. */
export interface Drawn {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: Float64Array;
}

/** One call of an op, with the inputs to call it on. */
export interface Example {
  readonly inputs: readonly Drawn[];
  readonly call: (...inputs: Tensor[]) => Tensor;
}

/** Random shapes and numbers, the same for the same seed. */
export class Draw {
  #counter = 0;
  readonly #seed: number;
  constructor(seed: number) {
    this.#seed = seed;
  }
  #bits(): [number, number, number, number] {
    return philox([this.#counter++, 0, 0, 0], [this.#seed, 7]);
  }
  /** Uniform in [0, 1). */
  unit(): number {
    return uniformFrom(this.#bits()[0]);
  }
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low));
  }
  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length)];
  }
  /** A size that no tile divides. */
  size(): number {
    return this.pick([1, 2, 3, 5, 7]);
  }
  #fill(shape: Shape, dtype: DType, next: () => number): Drawn {
    return { shape, dtype, data: Float64Array.from({ length: sizeOf(shape) }, next) };
  }
  normal(shape: Shape): Drawn {
    return this.#fill(shape, "f32", () => {
      const [a, b] = this.#bits();
      return normalsFrom(a, b)[0];
    });
  }
  /** In [0.3, 2.3). */
  positive(shape: Shape): Drawn {
    return this.#fill(shape, "f32", () => 0.3 + 2 * this.unit());
  }
  /** i32 in 0…below-1. */
  index(shape: Shape, below: number): Drawn {
    return this.#fill(shape, "i32", () => this.integer(0, below));
  }
}

/** A tensor to call ops on where only shapes matter. */
export const zeros = (shape: Shape, dtype: DType = "f32"): Tensor => ops.constant(0, dtype, shape);

/** Elementwise ops whose inputs must be positive. */
const positiveDomain = new Set(["log", "log1p", "sqrt", "rsqrt", "reciprocal", "pow", "div"]);

/** Shapes that broadcast against each other, up to three of them. */
const broadcasts: readonly (readonly Shape[])[] = [
  [
    [3, 5],
    [3, 5],
    [3, 5],
  ],
  [[2, 3, 7], [3, 1], [7]],
  [[5, 1], [1, 3], []],
  [[], [7], [1]],
];

/** Inputs and call drawn from an op's signature; undefined where the signature doesn't say enough. */
export function exampleFrom(op: ((...args: never[]) => Tensor) & { spec?: OpSpec }, draw: Draw): Example | undefined {
  const { spec } = op;
  if (!spec) return undefined;
  const signature = parseSignature(spec.signature);
  const call = op as unknown as (...inputs: Tensor[]) => Tensor;
  let inputs: Drawn[];
  if (spec.kind === "elementwise") {
    const shapes = draw.pick(broadcasts);
    const values = (shape: Shape) => (positiveDomain.has(spec.name) ? draw.positive(shape) : draw.normal(shape));
    inputs = signature.inputs.map((_, i) => values(shapes[i]));
  } else {
    if ([...signature.inputs, signature.output].some(({ any }) => any)) return undefined;
    const sizes = new Map<string, number>();
    const sizeFor = (dim: string): number => {
      if (/^\d+$/.test(dim)) return Number(dim);
      if (!sizes.has(dim)) sizes.set(dim, draw.size());
      return sizes.get(dim)!;
    };
    const batch = draw.pick<Shape>([[], [2], [3, 2]]);
    const shapeOf = ({ dims, batched }: Pattern) => [...(batched ? batch : []), ...dims.map(sizeFor)];
    inputs = signature.inputs.map((pattern) =>
      pattern.dtype === "i32" ? draw.index(shapeOf(pattern), 2) : draw.normal(shapeOf(pattern)),
    );
  }
  try {
    call(...inputs.map(({ shape, dtype }) => zeros(shape, dtype)));
  } catch {
    return undefined;
  }
  return { inputs, call };
}

type Examples = (draw: Draw) => readonly Example[];
const one =
  (make: (draw: Draw) => [inputs: readonly Drawn[], call: (...inputs: Tensor[]) => Tensor]): Examples =>
  (draw) => {
    const [inputs, call] = make(draw);
    return [{ inputs, call }];
  };
const all =
  (...parts: Examples[]): Examples =>
  (draw) =>
    parts.flatMap((part) => part(draw));
/** A call of one f32 tensor of `shape`. */
const on = (shape: Shape, call: (x: Tensor) => Tensor): Examples => one((d) => [[d.normal(shape)], call]);

const key = (d: Draw): Drawn => d.index([3], 1000);

/** Calls of ops whose signature can't say all: attributes, whole shapes, composed ops. */
export const examples: Readonly<Record<string, Examples>> = {
  // Elementwise, with attributes or other types.
  broadcastTo: on([3, 1], (x) => ops.broadcastTo(x, { shape: [2, 3, 5] })),
  clamp: all(
    on([5, 7], (x) => ops.clamp(x, { min: -0.5, max: 0.7 })),
    on([7], (x) => ops.clamp(x, { max: 0.1 })),
  ),
  toFloat: one((d) => [[d.index([3, 5], 9)], ops.toFloat]),
  toInt: on([3, 5], (x) => ops.toInt(x)),
  pow: all(
    one((d) => [[d.positive([2, 3]), d.normal([3])], ops.pow]),
    on([5], (x) => ops.pow(x, 3)),
  ),

  // Reductions.
  sum: all(
    on([3, 5, 7], (x) => ops.sum(x, { axes: [0, -1] })),
    on([3, 5], (x) => ops.sum(x, { keepDims: true })),
  ),
  mean: on([3, 5, 2], (x) => ops.mean(x, { axes: [1] })),
  max: all(
    on([3, 5, 7], (x) => ops.max(x, { axes: [1] })),
    on([7], (x) => ops.max(x)),
  ),
  min: on([3, 5, 7], (x) => ops.min(x, { axes: [0, 2], keepDims: true })),
  argmax: on([3, 5], (x) => ops.argmax(x, { axis: 0 })),
  variance: all(
    on([3, 5, 7], (x) => ops.variance(x, { axes: [1, 2] })),
    on([7, 2], (x) => ops.variance(x, { axes: [0], correction: 1, keepDims: true })),
  ),
  logsumexp: all(
    on([3, 5], (x) => ops.logsumexp(x, { axes: [0] })),
    on([3, 5, 2], (x) => ops.logsumexp(x, { axes: [0, 2], keepDims: true })),
  ),
  softmax: all(
    on([3, 7], (x) => ops.softmax(x)),
    on([3, 5, 2], (x) => ops.softmax(x, { axis: 0 })),
  ),
  logSoftmax: on([3, 5, 2], (x) => ops.logSoftmax(x, { axis: 1 })),
  cumsum: all(
    on([3, 5], (x) => ops.cumsum(x)),
    on([7, 2], (x) => ops.cumsum(x, { axis: 0 })),
  ),
  cumprod: all(
    on([3, 5], (x) => ops.cumprod(x)),
    one((d) => [
      [{ ...d.normal([5, 2]), data: Float64Array.of(1, 2, 0, 3, -1, 0, 2, 1, 1, 3) }],
      (x) => ops.cumprod(x, { axis: 0 }),
    ]),
  ),
  crossEntropy: one((d) => [[d.normal([5, 7]), d.index([5], 7)], ops.crossEntropy]),

  // Products.
  matmul: (draw) =>
    [false, true].flatMap((transA) =>
      [false, true].map((transB): Example => {
        const [M, K, N] = [draw.size(), draw.size(), draw.size()];
        const a = draw.normal([3, 1, ...(transA ? [K, M] : [M, K])]);
        const b = draw.normal([2, ...(transB ? [N, K] : [K, N])]);
        return { inputs: [a, b], call: (x, y) => ops.matmul(x, y, { transA, transB }) };
      }),
    ),
  linear: all(
    one((d) => [[d.normal([2, 3, 5]), d.normal([7, 5]), d.normal([7])], ops.linear]),
    one((d) => [[d.normal([5]), d.normal([2, 5])], (x, w) => ops.linear(x, w)]),
  ),
  attention: all(
    one((d) => [
      [d.normal([2, 3, 5]), d.normal([2, 7, 5]), d.normal([2, 7, 2])],
      (q, k, v) => ops.attention(q, k, v, { scale: 0.4 }),
    ]),
    one((d) => [
      [d.normal([2, 3, 5]), d.normal([1, 7, 5]), d.normal([7, 2]), d.normal([3, 7])],
      (q, k, v, mask) => ops.attention(q, k, v, { mask }),
    ]),
    // Twice differentiated: its gradients are the function.
    one((d) => [
      [d.normal([2, 3, 5]), d.normal([1, 4, 5]), d.normal([4, 2]), d.normal([2, 3, 2])],
      (q, k, v, dy) => {
        const y = ops.attention(q, k, v, { scale: 0.4 });
        const gradients = grad(y, [q, k, v], dy).map((each) => ops.reshape(each, [-1]));
        return ops.concat([...gradients, ops.reshape(y, [-1])], 0);
      },
    ]),
  ),
  attentionGrad: one((d) => [
    [d.normal([2, 3, 5]), d.normal([2, 4, 5]), d.normal([2, 4, 2]), d.normal([2, 3, 2]), d.normal([2, 3, 2])],
    (q, k, v, y, dy) => {
      const all = ops.attentionGrad(q, k, v, y, dy, { scale: 0.4 });
      const { dq, dk, dv } = ops.attentionGradParts(all, q.shape, v.shape);
      return ops.concat(
        [dq, dk, dv].map((part) => ops.reshape(part, [-1])),
        0,
      );
    },
  ]),
  conv2d: all(
    one((d) => [
      [d.normal([2, 3, 5, 7]), d.normal([2, 3, 3, 2])],
      (x, w) => ops.conv2d(x, w, { stride: [2, 3], padding: [1, 0] }),
    ]),
    one((d) => [
      [d.normal([1, 6, 4, 5]), d.normal([4, 3, 3, 3]), d.normal([4])],
      (x, w, bias) => ops.conv2d(x, w, { padding: 1, groups: 2, bias }),
    ]),
  ),
  conv2dInputGrad: one((d) => [
    [d.normal([2, 3, 2, 3]), d.normal([3, 2, 3, 3])],
    (dy, w) => ops.conv2dInputGrad(dy, w, { stride: [2, 2], padding: [1, 1], size: [4, 5] }),
  ]),
  conv2dWeightGrad: one((d) => [
    [d.normal([2, 3, 5, 4]), d.normal([2, 2, 3, 2])],
    (x, dy) => ops.conv2dWeightGrad(x, dy, { stride: [2, 2], padding: [1, 1], kernel: [3, 3] }),
  ]),
  convTranspose2d: all(
    one((d) => [
      [d.normal([2, 3, 3, 2]), d.normal([3, 2, 3, 2]), d.normal([2])],
      (x, w, bias) => ops.convTranspose2d(x, w, { stride: [2, 1], padding: 1, outputPadding: [1, 0], bias }),
    ]),
    one((d) => [
      [d.normal([1, 4, 3, 2]), d.normal([4, 3, 2, 2])],
      (x, w) => ops.convTranspose2d(x, w, { stride: 2, groups: 2 }),
    ]),
  ),

  // Normalisation.
  normalize: on([3, 2, 7], (x) => ops.normalize(x, { eps: 1e-3 })),
  groupNorm: all(
    one((d) => [
      [d.normal([2, 6, 3, 2]), d.normal([6]), d.normal([6])],
      (x, gamma, beta) => ops.groupNorm(x, gamma, beta, { groups: 3 }),
    ]),
    one((d) => [
      [d.normal([2, 4, 3]), d.normal([2, 4]), d.normal([4])],
      (x, gamma, beta) => ops.groupNorm(x, gamma, beta, { groups: 2, activation: "silu" }),
    ]),
    on([3, 2, 5], (x) => ops.groupNorm(x, undefined, undefined, { groups: 1 })),
  ),
  groupNormalize: all(
    ...([1, 2] as const).map((rows) =>
      one((d) => [
        [d.normal([2, 3, 2, 5]), d.normal([rows, 3, 2]), d.normal([rows, 3, 2])],
        (x, scale, shift) => ops.groupNormalize(x, scale, shift, { eps: 1e-3, activation: "silu" }),
      ]),
    ),
    one((d) => [
      [d.normal([2, 2, 3, 2]), d.normal([1, 2, 3]), d.normal([1, 2, 3])],
      (x, scale, shift) => ops.groupNormalize(x, scale, shift),
    ]),
  ),
  layerNorm: all(
    one((d) => [
      [d.normal([3, 5, 7]), d.normal([5, 7]), d.normal([5, 7])],
      (x, gamma, beta) => ops.layerNorm(x, gamma, beta),
    ]),
    on([3, 5], (x) => ops.layerNorm(x)),
  ),

  // Resampling.
  upsampleNearest: on([2, 3, 5], (x) => ops.upsampleNearest(x, { factor: 3, scale: 0.5 })),
  sumPool: on([2, 6, 9], (x) => ops.sumPool(x, { factor: 3, scale: 0.5 })),
  averageDown: on([1, 2, 6, 4], (x) => ops.averageDown(x)),
  edmUp: all(
    on([2, 3, 5], (x) => ops.edmUp(x)),
    on([2, 3, 5], (x) => ops.edmUp(x, [1, 3, 3, 1])),
    on([2, 3, 5], (x) => ops.edmUp(x, [1, 2, 1])),
  ),
  edmDown: all(
    on([2, 4, 6], (x) => ops.edmDown(x)),
    on([2, 5, 7], (x) => ops.edmDown(x)),
    on([2, 6, 5], (x) => ops.edmDown(x, [1, 3, 3, 1])),
  ),
  avgPool2d: all(
    on([2, 3, 4, 6], (x) => ops.avgPool2d(x, { kernel: 2 })),
    on([2, 5, 7], (x) => ops.avgPool2d(x, { kernel: [3, 2], stride: 2, padding: [1, 0] })),
    on([2, 5, 7], (x) => ops.avgPool2d(x, { kernel: 3, stride: 1, padding: 1, countPadding: false })),
  ),
  maxPool2d: all(
    on([2, 3, 9, 7], (x) => ops.maxPool2d(x, { kernel: 3, stride: 2 })),
    on([2, 5, 7], (x) => ops.maxPool2d(x, { kernel: [3, 2], stride: [1, 2], padding: 1 })),
  ),
  interpolate: (draw) => [
    ...(["nearest", "area", "bilinear", "bicubic"] as const).flatMap((mode) =>
      [false, true].map(
        (antialias): Example => ({
          inputs: [draw.normal([2, 5, 7])],
          call: (x) => ops.interpolate(x, { mode, size: [3, 11], antialias }),
        }),
      ),
    ),
    {
      inputs: [draw.normal([2, 5, 7])],
      call: (x) => ops.interpolate(x, { mode: "bicubic", size: [3, 11], scale: [0.62, 1.6] }),
    },
  ],

  // Moving elements.
  reshape: on([3, 4], (x) => ops.reshape(x, [2, -1])),
  transpose: all(
    on([2, 3, 5], (x) => ops.transpose(x)),
    on([2, 3, 5], (x) => ops.transpose(x, [1, 2, 0])),
  ),
  concat: one((d) => [[d.normal([2, 3]), d.normal([2, 1]), d.normal([2, 5])], (...parts) => ops.concat(parts, -1)]),
  stack: one((d) => [[d.normal([2, 3]), d.normal([2, 3])], (...parts) => ops.stack(parts, 1)]),
  slice: all(
    on([3, 7], (x) => ops.slice(x, { axis: 1, start: -5, end: -1 })),
    on([3, 7, 2], (x) => ops.slice(x, { axis: 1, start: 1, step: 3 })),
    on([5], (x) => ops.slice(x, { axis: 0, start: 0, step: 2 })),
  ),
  split: on([3, 6], (x) => {
    const [a, b, c] = ops.split(x, 3, 1);
    return ops.add(ops.mul(a, b), c);
  }),
  pad: all(
    on([3, 5], (x) => ops.pad(x, { axis: 0, before: 2, after: 1 })),
    on([3, 5, 2], (x) => ops.pad(x, { axis: 1, before: 1, after: 70, value: -0.75 })),
    one((d) => [[d.index([3, 5], 9)], (x) => ops.pad(x, { axis: -1, before: 3, after: 0, value: -7 })]),
    // Both paddings are there twice when they are added.
    on([3, 4], (x) => {
      const [a, b] = ops.split(x, 2, 1);
      const padded = ops.pad(a, { axis: 1, before: 0, after: 2, value: 0.5 });
      return ops.add(padded, ops.pad(b, { axis: 1, before: 2, after: 0, value: 0.25 }));
    }),
  ),
  flip: on([3, 5, 2], (x) => ops.flip(x, { axes: [0, 2] })),
  tile: on([3, 2], (x) => ops.tile(x, [2, 1, 3])),
  repeatInterleave: on([3, 2], (x) => ops.repeatInterleave(x, { repeats: 3, axis: 0 })),
  takeRows: one((d) => [[d.normal([5, 3]), d.index([7], 5)], ops.takeRows]),
  addRows: one((d) => [[d.normal([7, 3]), d.index([7], 5)], (x, index) => ops.addRows(x, index, { rows: 5 })]),
  embedding: one((d) => [[d.normal([5, 3]), d.index([2, 7], 5)], ops.embedding]),
  indexSelect: one((d) => [
    [d.normal([2, 5, 3]), d.index([4], 5)],
    (x, index) => ops.indexSelect(x, index, { axis: 1 }),
  ]),
  gather: one((d) => [[d.normal([3, 5, 2]), d.index([2, 7, 2], 5)], (x, index) => ops.gather(x, index, { axis: 1 })]),
  scatterAdd: one((d) => [
    [d.normal([3, 5]), d.index([2, 7], 5), d.normal([2, 7])],
    (x, index, source) => ops.scatterAdd(x, index, source, { axis: 1 }),
  ]),
  oneHot: one((d) => [[d.index([5], 3)], (labels) => ops.oneHot(labels, 3)]),

  // Random numbers.
  random: all(
    one((d) => [[key(d)], (k) => ops.random(k, { distribution: "normal", stream: 1, shape: [5] })]),
    one((d) => [
      [key(d), d.index([2], 9)],
      (k, rows) => ops.random(k, { distribution: "uniform", stream: 1, shape: [2, 3] }, rows),
    ]),
  ),
  normal: one((d) => [[key(d)], (k) => ops.normal(k, { stream: 1, shape: [5] })]),
  uniform: one((d) => [[key(d)], (k) => ops.uniform(k, { stream: 1, shape: [5], low: -1 })]),
  randint: one((d) => [[key(d)], (k) => ops.randint(k, { stream: 1, shape: [5], low: 2, high: 9 })]),
  dropout: one((d) => [[d.normal([3, 5]), key(d)], (x, k) => ops.dropout(x, k, { p: 0.4, stream: 3 })]),
};

/** Exports of core/ops that are no ops, or have no derivative on purpose and a test of their own. */
const others = new Set([
  "constant",
  "constantArray",
  "input",
  "state",
  "iota",
  "defineOp",
  "defineElementwise",
  "stopGradient",
  "attrsOf",
  "uniformOf",
  "nameOf",
  "view",
  "pack",
  "normalizeGrad",
  "groupNormalizeGrad",
  "gradPlaces",
  "attentionGradPlaces",
  "attentionGradParts",
  "errorFunction",
]);

/** Every op that core/ops exports, by name. */
export const exportedOps: Readonly<Record<string, (...args: never[]) => Tensor>> = Object.fromEntries(
  Object.entries(ops as unknown as Record<string, (...args: never[]) => Tensor>).filter(
    ([name, value]) => typeof value === "function" && !others.has(name),
  ),
);

/** The example calls of an op: those listed above, else drawn from its signature. */
export function examplesOf(name: string, op: (...args: never[]) => Tensor, draw: Draw): readonly Example[] {
  const listed = examples[name]?.(draw);
  if (listed) return listed;
  const drawn = [exampleFrom(op, draw), exampleFrom(op, draw)].filter((e) => e !== undefined);
  if (drawn.length === 0) throw new Error(`no example for op ${name}: add one to test/helpers/ops.ts`);
  return drawn;
}
