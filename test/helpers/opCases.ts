import { grad, program } from "../../core/graph/mod.ts";
import type { Backend, HostArray } from "../../core/interfaces/backend.ts";
import * as ops from "../../core/ops/mod.ts";
import * as optim from "../../core/optim/mod.ts";
import { type DType, sizeOf, type Tensor } from "../../core/tensor/mod.ts";
import type { GoldenCase } from "./golden.ts";

/** The worst tensor of a golden file: `ratio` is its error in units of the tolerance, at most 1 is within. */
export interface Worst {
  readonly ratio: number;
  readonly where: string;
  /** How many tensors were compared. */
  readonly compared: number;
}

type Inputs = Readonly<Record<string, Tensor>>;
// biome-ignore lint/suspicious/noExplicitAny: attributes and scalars are what each op or update rule makes of them.
type CaseAttrs = any;

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

const conv = ({ input, weight, bias }: Inputs, { stride, padding, groups }: CaseAttrs): Tensor =>
  ops.conv2d(input, weight, { stride, padding, groups, bias });
const attend = ({ q, k, v, mask }: Inputs, { scale }: CaseAttrs): Tensor =>
  ops.attention(q, k, v, { mask, ...(typeof scale === "number" && { scale }) });
const matmulCase = ({ a, b }: Inputs, { trans_a: transA, trans_b: transB }: CaseAttrs): Tensor =>
  ops.matmul(a, b, { transA: !!transA, transB: !!transB });
const difference = ({ x, y }: Inputs) => ops.sub(x, y);

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
  linear: ({ input, weight, bias }) => ops.linear(input, weight, bias),
  sdpa: attend,
  sdpa_mask: attend,
  sdpa_causal: ({ q, k, v }) => {
    const [N, M] = [q.shape.at(-2)!, k.shape.at(-2)!];
    const mask = Array.from({ length: N * M }, (_, i) =>
      i % M > Math.floor(i / M) ? -Infinity : 0,
    );
    return ops.attention(q, k, v, { mask: ops.constantArray(mask, [N, M]) });
  },
  edm_attention: ({ qkv }, { heads }) => {
    const [B, C, H, W] = qkv.shape;
    const parts = ops.reshape(qkv, [B * heads, C / heads / 3, 3, H * W]);
    const [q, k, v] = [0, 1, 2].map((i) => {
      const part = ops.slice(parts, { axis: 2, start: i, end: i + 1 });
      return ops.transpose(ops.reshape(part, [B * heads, C / heads / 3, H * W]));
    });
    return ops.reshape(ops.transpose(ops.attention(q, k, v)), [B, C / 3, H, W]);
  },
  conv2d: conv,
  conv2d_asympad: ({ input, ...rest }, { pad_left_right_top_bottom: p, ...attrs }) => {
    const wide = ops.pad(input, { axis: -1, before: p[0], after: p[1] });
    return conv({ input: ops.pad(wide, { axis: -2, before: p[2], after: p[3] }), ...rest }, attrs);
  },
  conv_transpose2d: ({ input, weight, bias }, { stride, padding, output_padding, groups }) =>
    ops.convTranspose2d(input, weight, {
      ...{ stride, padding, groups, bias },
      outputPadding: output_padding,
    }),
  group_norm: ({ input, weight, bias }, { num_groups: groups, eps }) =>
    ops.groupNorm(input, weight, bias, { groups, eps }),
  layer_norm: ({ input, weight, bias }, { eps, normalized_shape: shape }) =>
    ops.layerNorm(input, weight ?? ops.constant(1, "f32", shape), bias, { eps }),

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
  pad: ({ x }, { last_axis: w, second_last_axis: h }) =>
    ops.pad(ops.pad(x, { axis: -1, before: w[0], after: w[1] }), {
      ...{ axis: -2, before: h[0], after: h[1] },
    }),
  permute: ({ x }, { perm }) => {
    const [B, H, W, C] = ops.transpose(x, perm).shape;
    return ops.reshape(ops.transpose(x, perm), [B, H * W, C]);
  },
  flip: ({ x }, { axes }) => ops.flip(x, { axes }),
  tile: ({ x }, { repeats }) => ops.tile(x, repeats),
  repeat_interleave: ({ x }, { repeats, axis }) => ops.repeatInterleave(x, { repeats, axis }),
  gather: ({ x, idx }, { axis }) => ops.gather(x, idx, { axis }),
  scatter_add: ({ x, idx, src }, { axis }) => ops.scatterAdd(x, idx, src, { axis }),
  embedding: ({ weight, ids }) => ops.embedding(weight, ids),
  index_select: ({ x, idx }, { axis }) => ops.indexSelect(x, idx, { axis }),
  dropout_p0: ({ x }) =>
    ops.dropout(x, ops.constantArray([1, 2, 3], [3], "i32"), { p: 0, stream: 0 }),
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
  gan_d_loss: ({ real, fake }) =>
    ops.add(ops.mean(ops.softplus(fake)), ops.mean(ops.softplus(ops.neg(real)))),
  bce_with_logits_mean: ({ x, t }) =>
    ops.mean(ops.sub(ops.softplus(x), ops.mul(x, ops.toFloat(t)))),
  mse_mean: (inputs) => ops.mean(ops.square(difference(inputs))),
  l1_mean: (inputs) => ops.mean(ops.abs(difference(inputs))),
  pseudo_huber_mean: (inputs, { c }) =>
    ops.mean(ops.sub(ops.sqrt(ops.add(ops.square(difference(inputs)), c * c)), c)),
  pseudo_huber_norm: (inputs, { c }) => {
    const axes = inputs.x.shape.map((_, axis) => axis).slice(1);
    const squares = ops.sum(ops.square(difference(inputs)), { axes });
    return ops.mean(ops.sub(ops.sqrt(ops.add(squares, c * c)), c));
  },
  dm_surrogate: ({ x, g }) =>
    ops.mul(ops.mean(ops.square(ops.sub(x, ops.stopGradient(ops.sub(x, g))))), 0.5),
};

interface SubCase {
  readonly id: string;
  readonly op: string;
  readonly attrs: CaseAttrs;
  readonly inputs: readonly string[];
  readonly int_inputs: readonly string[];
}

/** Runs all sub-cases of an `ops_*` file, forward and gradients, each as a program of its own. */
export async function runOpCase(backend: Backend, golden: GoldenCase): Promise<Worst> {
  const worst = new WorstOf(golden);
  for (const sub of golden.config.cases as readonly SubCase[]) {
    const build = cases[sub.op];
    if (!build) throw new Error(`no op for case ${golden.name} ${sub.id}: ${sub.op}`);
    const values: Record<string, HostArray> = {};
    const source = (name: string, dtype: DType): Tensor => {
      values[name] = dtype === "i32" ? golden.i32(name) : golden.f32(name);
      return ops.input(name, golden.shape(name), dtype);
    };
    const floats = sub.inputs.map((name) => [name, source(`${sub.id}.in.${name}`, "f32")] as const);
    const integers = sub.int_inputs.map(
      (name) => [name, source(`${sub.id}.int.${name}`, "i32")] as const,
    );
    const out = build(Object.fromEntries([...floats, ...integers]), sub.attrs);
    if (out.shape.join() !== golden.shape(`${sub.id}.out`).join())
      throw new Error(`${golden.name} ${sub.id} ${sub.op}: shape [${out.shape}]`);
    const outputs: Record<string, Tensor> = { [`${sub.id}.out`]: out };
    const wanted = floats.filter(([name]) => golden.has(`${sub.id}.grad.${name}`));
    if (wanted.length) {
      const nodes = wanted.map(([, node]) => node);
      const gradients = grad(out, nodes, source(`${sub.id}.gout`, "f32"));
      wanted.forEach(([name], i) => {
        outputs[`${sub.id}.grad.${name}`] = gradients[i];
      });
    }
    const memory = backend.createMemory();
    const run = await backend.compile(program({ name: `${sub.op} ${sub.id}`, outputs }), memory);
    await run.run(values);
    for (const name of Object.keys(outputs)) worst.add(await run.read(name), name, sub.op);
    run.dispose();
    memory.dispose();
  }
  return worst.result;
}

class WorstOf {
  #ratio = 0;
  #where = "";
  #compared = 0;
  readonly #golden: GoldenCase;
  constructor(golden: GoldenCase) {
    this.#golden = golden;
  }
  add(actual: ArrayLike<number>, name: string, what: string): void {
    const { ratio, index, actual: got, expected } = this.#golden.compare(actual, name);
    this.#compared++;
    if (ratio <= this.#ratio) return;
    this.#ratio = ratio;
    this.#where = `${name}[${index}] of ${what}: ${got}, should be ${expected}`;
  }
  get result(): Worst {
    return { ratio: this.#ratio, where: this.#where, compared: this.#compared };
  }
}

const PARAMETERS = ["W1", "b1", "W2", "b2"] as const;
const MOMENTS = { Adam: ["m", "v"], AdamW: ["m", "v"], RAdam: ["m", "v"], SGD: ["m"] } as const;

interface OptimizerCase {
  readonly id: string;
  readonly optimizer: keyof typeof MOMENTS;
  readonly args: {
    readonly lr: number;
    readonly betas?: readonly [number, number];
    readonly eps?: number;
    readonly weight_decay?: number;
    readonly momentum?: number;
    readonly nesterov?: boolean;
  };
  readonly max_grad_norm: number | null;
  readonly warmup: number;
}

/** One update rule of the `optimizers` file: its scalars on the host, and its update of the states. */
function updateRule({ optimizer, args }: OptimizerCase) {
  const [beta1, beta2] = args.betas ?? [0.9, 0.999];
  const adamOptions = {
    ...{ beta1, beta2, eps: args.eps, weightDecay: args.weight_decay },
    decoupled: optimizer === "AdamW",
  };
  return {
    scalars(update: number, rate: number): Readonly<Record<string, number>> {
      if (optimizer === "SGD") return { rate };
      if (optimizer === "RAdam") return optim.radamScalars(update, rate, adamOptions);
      return optim.adamScalars(update, rate, adamOptions);
    },
    update(
      weights: Tensor,
      gradient: Tensor,
      [m, v]: Tensor[],
      scalars: CaseAttrs,
    ): [Tensor, ...Tensor[]] {
      if (optimizer === "SGD") {
        const next = optim.sgd(
          { weights, gradient, moment: m, scalars },
          { ...args, weightDecay: args.weight_decay },
        );
        return [next.weights, next.moment];
      }
      const rule = optimizer === "RAdam" ? optim.radam : optim.adam;
      const next = rule({ weights, gradient, moment1: m, moment2: v, scalars }, adamOptions);
      return [next.weights, next.moment1, next.moment2];
    },
  };
}

/** Trains the small regression of the `optimizers` file, 20 steps for every sub-case. */
export async function runOptimizerCases(backend: Backend, golden: GoldenCase): Promise<Worst> {
  const worst = new WorstOf(golden);
  for (const sub of golden.config.cases as readonly OptimizerCase[]) {
    const at = (name: string) => `${sub.id}.in.${name}`;
    const rule = updateRule(sub);
    const shapes = PARAMETERS.map((name) => golden.shape(at(name)));
    const offsets: number[] = [];
    let size = 0;
    for (const shape of shapes) {
      offsets.push(size);
      size += Math.ceil(sizeOf(shape) / 64) * 64; // bindings start at multiples of 256 bytes
    }
    const weights = ops.state("weights", [size]);
    const moments = MOMENTS[sub.optimizer].map((name) => ops.state(name, [size]));
    const views = shapes.map((shape, i) => ops.view(weights, { offset: offsets[i], shape }));
    const [W1, b1, W2, b2] = views;
    const [X, Y] = ["X", "Y"].map((name) => ops.input(name, golden.shape(at(name))));
    const y = ops.linear(ops.tanh(ops.linear(X, W1, b1)), W2, b2);
    const loss = ops.mul(ops.mean(ops.square(ops.sub(y, Y))), 10);
    const gradient = ops.pack(grad(loss, views), offsets, size);
    const { norm, scale } = optim.clip([gradient], sub.max_grad_norm ?? Infinity);
    const names = Object.keys(rule.scalars(0, 1));
    const flat = ops.input("scalars", [names.length]);
    const scalars = Object.fromEntries(
      names.map((name, offset) => [name, ops.view(flat, { offset, shape: [] })]),
    );
    const next = rule.update(weights, ops.mul(gradient, scale), moments, scalars);
    const memory = backend.createMemory();
    const kept = ["weights", ...MOMENTS[sub.optimizer]];
    for (const name of kept) memory.allocate(name, size);
    const start = new Float32Array(size);
    PARAMETERS.forEach((name, i) => {
      start.set(golden.f32(at(name)), offsets[i]);
    });
    memory.write("weights", start);
    const step = await backend.compile(
      program({
        name: `${sub.optimizer} ${sub.id}`,
        outputs: { loss, norm },
        updates: [weights, ...moments].map((old, i) => [old, next[i]] as const),
      }),
      memory,
    );
    const part = (values: ArrayLike<number>, i: number) =>
      Array.from(values).slice(offsets[i], offsets[i] + sizeOf(shapes[i]));
    const losses: number[] = [];
    const norms: number[] = [];
    const rateAt = optim.constantRate(sub.warmup);
    for (let k = 0; k < 20; k++) {
      const numbers = rule.scalars(k, sub.args.lr * rateAt(k));
      await step.run({
        X: golden.f32(at("X")),
        Y: golden.f32(at("Y")),
        scalars: Float32Array.from(Object.values(numbers)),
      });
      losses.push((await step.read("loss"))[0]);
      norms.push((await step.read("norm"))[0]);
      if (![1, 2, 20].includes(k + 1)) continue;
      const stored = await memory.read("weights");
      PARAMETERS.forEach((name, i) => {
        worst.add(part(stored, i), `${sub.id}.out.${name}_step${k + 1}`, sub.optimizer);
      });
    }
    worst.add(losses, `${sub.id}.out.loss`, sub.optimizer);
    worst.add(norms, `${sub.id}.out.grad_norm`, sub.optimizer);
    for (const [moment, suffix] of [
      ["m", "exp_avg"],
      ["v", "exp_avg_sq"],
    ])
      for (const [i, name] of PARAMETERS.entries())
        if (golden.has(`${sub.id}.out.${name}_${suffix}`))
          worst.add(
            part(await memory.read(moment), i),
            `${sub.id}.out.${name}_${suffix}`,
            sub.optimizer,
          );
    step.dispose();
    memory.dispose();
  }
  return worst.result;
}

/** β of update number `update` in a sub-case of the `ema` file. */
function betaOf(sub: CaseAttrs, update: number): number {
  if (sub.kind === "constant") return sub.decay;
  if (sub.kind === "edm_halflife")
    return optim.halfLifeBeta(update, sub.batch_size, {
      emaHalfLife: sub.ema_halflife_kimg * 1000,
      rampUp: sub.ema_rampup_ratio ?? undefined,
    });
  if (sub.kind === "power") return optim.powerBeta(update, optim.powerGamma(sub.std));
  if (sub.kind === "ema_warmup")
    return optim.warmUpBeta(update, {
      ...{ inverseGamma: sub.inv_gamma, power: sub.power, min: sub.min_value, max: sub.max_value },
    });
  throw new Error(`no average of kind ${sub.kind}`);
}

/** Averages the parameters of the `ema` file with every kind of β. */
export async function runEmaCases(backend: Backend, golden: GoldenCase): Promise<Worst> {
  const worst = new WorstOf(golden);
  const [rows, n] = golden.shape("in.params");
  const parameters = golden.f32("in.params");
  const row = (t: number) => parameters.slice(t * n, (t + 1) * n);
  const average = ops.state("average", [n]);
  const update = optim.ema(average, ops.input("parameters", [n]), ops.input("beta", []));
  for (const sub of golden.config.cases) {
    const memory = backend.createMemory();
    memory.allocate("average", n);
    memory.write("average", row(0));
    const step = await backend.compile(
      program({ name: "ema", updates: [[average, update]] }),
      memory,
    );
    const averages: number[] = [];
    const betas: number[] = [];
    for (let t = 1; t < rows; t++) {
      betas.push(betaOf(sub, t - 1));
      await step.run({ parameters: row(t), beta: Float32Array.of(betas[t - 1]) });
      averages.push(...(await memory.read("average")));
    }
    worst.add(averages, `${sub.id}.out.ema`, sub.kind);
    worst.add(betas, `${sub.id}.out.beta`, sub.kind);
    step.dispose();
    memory.dispose();
  }
  return worst.result;
}

/** Runs a golden file of ops, optimisers or averages, whichever it is. */
export function runCase(backend: Backend, golden: GoldenCase): Promise<Worst> {
  if (golden.name === "optimizers") return runOptimizerCases(backend, golden);
  if (golden.name === "ema") return runEmaCases(backend, golden);
  return runOpCase(backend, golden);
}
