import { grad } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { DType, Tensor } from "../../../core/tensor/mod.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { ignore, only, refuseUnread, type Settings } from "../settings.ts";

type Inputs = Readonly<Record<string, Tensor>>;
/** Attributes as the case has them: an op reads its own by name, and one that is not read is unsupported. */
type CaseAttrs = Settings;

const unary =
  (op: (x: Tensor) => Tensor) =>
  ({ x }: Inputs): Tensor =>
    op(x);
const binary =
  (op: (a: Tensor, b: Tensor) => Tensor) =>
  ({ a, b }: Inputs): Tensor =>
    op(a, b);
const reduction =
  (op: (x: Tensor, options: { axes?: readonly number[]; keepDims?: boolean }) => Tensor) =>
  ({ x }: Inputs, { axes, keepdims }: CaseAttrs): Tensor =>
    op(x, { axes: axes === "all" ? undefined : axes, keepDims: keepdims });

/** The bias, which is there when the attributes say so. */
const biasOf = ({ bias }: Inputs, attrs: CaseAttrs): Tensor | undefined => {
  only(attrs, "bias", bias !== undefined);
  return bias;
};
const conv = (inputs: Inputs, attrs: CaseAttrs): Tensor => {
  const { stride, padding, groups } = attrs;
  const bias = biasOf(inputs, attrs);
  return ops.conv2d(inputs.input, inputs.weight, { stride, padding, groups, bias });
};
const attend = ({ q, k, v, mask }: Inputs, attrs: CaseAttrs): Tensor => {
  const { scale } = attrs;
  if (typeof scale === "number") return ops.attention(q, k, v, { mask, scale });
  only(attrs, "scale", "1/sqrt(dim)");
  return ops.attention(q, k, v, { mask });
};
const matmulCase = ({ a, b }: Inputs, attrs: CaseAttrs): Tensor => {
  const { trans_a: transA, trans_b: transB } = attrs;
  ignore(attrs, "batch_broadcast"); // the shapes say it
  return ops.matmul(a, b, { transA: !!transA, transB: !!transB });
};
const difference = ({ x, y }: Inputs) => ops.sub(x, y);

/** How EDM's attention finds queries, keys and values among the channels. */
const EDM_LAYOUT = "channels of qkv are ordered [head][dim][q,k,v]: reshape(B*heads, C/heads, 3, H*W).unbind(2)";

/** What the generic op names of the golden files are here. */
const cases: Readonly<Record<string, (inputs: Inputs, attrs: CaseAttrs) => Tensor>> = {
  silu: unary(ops.silu),
  gelu: unary(ops.gelu),
  gelu_tanh: unary(ops.geluTanh),
  quick_gelu: unary(ops.quickGelu),
  softplus: unary(ops.softplus),
  sigmoid: unary(ops.sigmoid),
  tanh: unary(ops.tanh),
  relu: unary(ops.relu),
  exp: unary(ops.exp),
  log: unary(ops.log),
  log1p: unary(ops.log1p),
  abs: unary(ops.abs),
  sin: unary(ops.sin),
  cos: unary(ops.cos),
  erf: unary(ops.erf),
  neg: unary(ops.neg),
  square: unary(ops.square),
  sqrt: unary(ops.sqrt),
  rsqrt: unary(ops.rsqrt),
  reciprocal: unary(ops.reciprocal),
  pow_p: ({ x }, { p }) => ops.pow(x, p),
  clamp: ({ x }, { min, max }) => ops.clamp(x, { min: min ?? -Infinity, max: max ?? Infinity }),
  geglu: ({ x }) => {
    const [h, gate] = ops.split(x, 2, -1);
    return ops.mul(h, ops.gelu(gate));
  },

  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  pow: binary(ops.pow),
  where: ({ cond, a, b }) => ops.where(ops.greater(cond, 0), a, b),

  sum: reduction(ops.sum),
  mean: reduction(ops.mean),
  amax: reduction(ops.max),
  amin: reduction(ops.min),
  var: reduction(ops.variance),
  std_unbiased: reduction((x, options) => ops.sqrt(ops.variance(x, { ...options, correction: 1 }))),
  l2norm: reduction((x, options) => ops.sqrt(ops.sum(ops.square(x), options))),
  absmean: reduction((x, options) => ops.mean(ops.abs(x), options)),
  argmax: ({ x }, { axis, keepdims }) => ops.argmax(x, { axis, keepDims: keepdims }),
  softmax: ({ x }, { axis }) => ops.softmax(x, { axis }),
  log_softmax: ({ x }, { axis }) => ops.logSoftmax(x, { axis }),
  logsumexp: ({ x }, { axis, keepdims }) => ops.logsumexp(x, { axes: [axis], keepDims: keepdims }),
  cumsum: ({ x }, { axis }) => ops.cumsum(x, { axis }),
  cumprod: ({ x }, { axis }) => ops.cumprod(x, { axis }),

  matmul: matmulCase,
  linear: (inputs, attrs) => ops.linear(inputs.input, inputs.weight, biasOf(inputs, attrs)),
  sdpa: attend,
  sdpa_mask: attend,
  sdpa_causal: ({ q, k, v }, attrs) => {
    only(attrs, "mask", "causal, -inf above the diagonal");
    const [N, M] = [q.shape.at(-2)!, k.shape.at(-2)!];
    const mask = Array.from({ length: N * M }, (_, i) => (i % M > Math.floor(i / M) ? -Infinity : 0));
    return attend({ q, k, v, mask: ops.constantArray(mask, [N, M]) }, attrs);
  },
  edm_attention: ({ qkv }, attrs) => {
    const { heads } = attrs;
    only(attrs, "layout", EDM_LAYOUT);
    const [B, C, H, W] = qkv.shape;
    const parts = ops.reshape(qkv, [B * heads, C / heads / 3, 3, H * W]);
    const [q, k, v] = [0, 1, 2].map((i) => {
      const part = ops.slice(parts, { axis: 2, start: i, end: i + 1 });
      return ops.transpose(ops.reshape(part, [B * heads, C / heads / 3, H * W]));
    });
    return ops.reshape(ops.transpose(ops.attention(q, k, v)), [B, C / 3, H, W]);
  },
  conv2d: conv,
  conv2d_asympad: ({ input, ...rest }, attrs) => {
    const { pad_left_right_top_bottom: p } = attrs;
    const wide = ops.pad(input, { axis: -1, before: p[0], after: p[1] });
    return conv({ input: ops.pad(wide, { axis: -2, before: p[2], after: p[3] }), ...rest }, attrs);
  },
  conv_transpose2d: (inputs, attrs) => {
    const { stride, padding, output_padding: outputPadding, groups } = attrs;
    const bias = biasOf(inputs, attrs);
    const options = { stride, padding, outputPadding, groups, bias };
    return ops.convTranspose2d(inputs.input, inputs.weight, options);
  },
  group_norm: ({ input, weight, bias }, { num_groups: groups, eps }) =>
    ops.groupNorm(input, weight, bias, { groups, eps }),
  layer_norm: ({ input, weight, bias }, attrs) => {
    const { eps } = attrs;
    const shape = input.shape.slice(-1);
    only(attrs, "normalized_shape", shape);
    return ops.layerNorm(input, weight ?? ops.constant(1, "f32", shape), bias, { eps });
  },

  upsample_nearest2x: ({ x }) => ops.upsampleNearest(x, { factor: 2 }),
  avg_pool2d: ({ x }, { kernel, stride, padding, count_include_pad: countPadding }) =>
    ops.avgPool2d(x, { kernel, stride, padding, countPadding }),
  max_pool2d: ({ x }, { kernel, stride, padding }) => ops.maxPool2d(x, { kernel, stride, padding }),
  adaptive_avg_pool_1x1: ({ x }) => ops.mean(x, { axes: [-2, -1], keepDims: true }),
  edm_up: ({ x }, { filter }) => ops.edmUp(x, filter),
  edm_down: ({ x }, { filter }) => ops.edmDown(x, filter),
  interpolate: ({ x }, { mode, size, antialias, align_corners: alignCorners }) =>
    ops.interpolate(x, { mode, size, antialias, alignCorners }),

  concat: (inputs, { axis }) => ops.concat(Object.values(inputs), axis),
  stack: (inputs, { axis }) => ops.stack(Object.values(inputs), axis),
  slice: ({ x }, { slices }) =>
    slices.reduce((y: Tensor, [from, to, step]: [number, number | null, number], axis: number) => {
      // Python allows ranges beyond the end.
      const end = to === null ? undefined : Math.min(to, y.shape[axis]);
      return ops.slice(y, { axis, start: from, end, step });
    }, x),
  pad: ({ x }, attrs) => {
    const { last_axis: w = [0, 0], second_last_axis: h = [0, 0], value } = attrs;
    const wide = ops.pad(x, { axis: -1, before: w[0], after: w[1], value });
    return ops.pad(wide, { axis: -2, before: h[0], after: h[1], value });
  },
  permute: ({ x }, attrs) => {
    const turned = ops.transpose(x, attrs.perm);
    if (only(attrs, "then", "reshape [B,H*W,C]") === undefined) return turned;
    const [B, H, W, C] = turned.shape;
    return ops.reshape(turned, [B, H * W, C]);
  },
  flip: ({ x }, { axes }) => ops.flip(x, { axes }),
  tile: ({ x }, { repeats }) => ops.tile(x, repeats),
  repeat_interleave: ({ x }, { repeats, axis }) => ops.repeatInterleave(x, { repeats, axis }),
  gather: ({ x, idx }, { axis }) => ops.gather(x, idx, { axis }),
  scatter_add: ({ x, idx, src }, { axis }) => ops.scatterAdd(x, idx, src, { axis }),
  embedding: ({ weight, ids }) => ops.embedding(weight, ids),
  index_select: ({ x, idx }, { axis }) => ops.indexSelect(x, idx, { axis }),
  dropout_p0: ({ x }, attrs) => {
    only(attrs, "p", 0);
    ignore(attrs, "training"); // nothing is dropped
    return ops.dropout(x, ops.constantArray([1, 2, 3], [3], "i32"), { p: 0, stream: 0 });
  },
  chunk_scale_shift: ({ x, p }) => {
    const [scale, shift] = ops.split(p, 2, 1);
    return ops.add(ops.mul(x, ops.add(scale, 1)), shift);
  },
  masked_fill_pow: ({ x, idx }) => {
    const rows = ops.sum(ops.oneHot(idx, x.shape[0]), { axes: [0] });
    return ops.where(ops.reshape(rows, [-1, ...x.shape.slice(1).map(() => 1)]), 0, x);
  },

  cross_entropy_mean: ({ logits, target }) => ops.crossEntropy(logits, target),
  softplus_neg_mean: ({ x }) => ops.mean(ops.softplus(ops.neg(x))),
  gan_d_loss: ({ real, fake }) => ops.add(ops.mean(ops.softplus(fake)), ops.mean(ops.softplus(ops.neg(real)))),
  bce_with_logits_mean: ({ x, t }) => ops.mean(ops.sub(ops.softplus(x), ops.mul(x, ops.toFloat(t)))),
  mse_mean: (inputs) => ops.mean(ops.square(difference(inputs))),
  l1_mean: (inputs) => ops.mean(ops.abs(difference(inputs))),
  pseudo_huber_mean: (inputs, { c }) => ops.mean(ops.sub(ops.sqrt(ops.add(ops.square(difference(inputs)), c * c)), c)),
  pseudo_huber_norm: (inputs, { c }) => {
    const axes = inputs.x.shape.map((_, axis) => axis).slice(1);
    const squares = ops.sum(ops.square(difference(inputs)), { axes });
    return ops.mean(ops.sub(ops.sqrt(ops.add(squares, c * c)), c));
  },
  dm_surrogate: ({ x, g }) => ops.mul(ops.mean(ops.square(ops.sub(x, ops.stopGradient(ops.sub(x, g))))), 0.5),
};

/** Every sub-case of an `ops_*` file, forward and gradients, each as a program of its own. */
export const opsKind: Kind = {
  name: "ops",
  matches: ({ file }) => file.startsWith("ops_"),
  run: (job) => job.each((sub) => runOp(job, sub)),
};

async function runOp({ reference, backend, check }: Job, sub: Settings): Promise<void> {
  const build = cases[sub.op];
  if (!build) throw new Unsupported(`there is no op ${sub.op}`);
  const feed = new Feed();
  const source = (name: string, dtype: DType): Tensor =>
    feed.tensor(name, reference.shape(name), dtype === "i32" ? reference.i32(name) : reference.f32(name), dtype);
  const inputsOf = (names: readonly string[], prefix: string, dtype: DType) =>
    names.map((name) => [name, source(`${sub.id}.${prefix}.${name}`, dtype)] as const);
  const floats = inputsOf(sub.inputs, "in", "f32");
  const integers = inputsOf(sub.int_inputs, "int", "i32");
  const out = build(Object.fromEntries([...floats, ...integers]), sub.attrs);
  refuseUnread(sub); // before a shape or a number says what the attribute changes
  const shape = reference.shape(`${sub.id}.out`);
  if (out.shape.join() !== shape.join())
    throw new Error(`${sub.id} ${sub.op}: shape [${out.shape}], should be [${shape}]`);
  const outputs: Record<string, Tensor> = { [`${sub.id}.out`]: out };
  const wanted = floats.filter(([name]) => reference.has(`${sub.id}.grad.${name}`));
  if (wanted.length) {
    const gradients = grad(
      out,
      wanted.map(([, node]) => node),
      source(`${sub.id}.gout`, "f32"),
    );
    for (const [i, [name]] of wanted.entries()) outputs[`${sub.id}.grad.${name}`] = gradients[i];
  }
  const results = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(results)) check(values, name);
}
