// TensorFlow.js on WebGPU. Images are [B, H, W, C], its native layout; data and weights are moved there before the clock runs.
import { createRequire } from "node:module";
import { BATCH, benchBatch, benchParameters, GROUPS, HEADS, hashUniform } from "../data.ts";
import { serve } from "../serve.ts";
import { adapterName, installBrowserGlobals } from "./browserGlobals.mjs";

const counters = installBrowserGlobals();
// It asks for features as a list inside the list, which Dawn refuses.
const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = function (wish) {
  const requiredFeatures = [...(wish?.requiredFeatures ?? [])].flat();
  return requestDevice.call(this, { ...wish, requiredFeatures });
};
globalThis.self = globalThis;
globalThis.window ??= globalThis;
globalThis.document ??= { createElement: () => ({ getContext: () => null, style: {} }) };

const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs");
require("@tensorflow/tfjs-backend-webgpu");
tf.enableProdMode();
if (!(await tf.setBackend("webgpu"))) throw new Error("its WebGPU backend does not start");
await tf.ready();

async function finish() {
  const backend = tf.backend();
  backend.endComputePassEncoder?.();
  if (backend.commandEncoder) backend.submitQueue();
  await backend.queue.onSubmittedWorkDone();
}

const drawn = (seed, ...shape) =>
  tf.tensor(
    hashUniform(
      seed,
      shape.reduce((a, b) => a * b, 1),
    ),
    shape,
  );

/** A case from named operands, which stay on the device, and a function of them. */
const resident = (make, f) => async () => {
  const operands = make();
  return {
    async call() {
      const result = tf.tidy(() => f(operands));
      await finish();
      tf.dispose(result);
    },
    release: () => tf.dispose(operands),
  };
};
/** f(operands)·dy and its gradients. */
const withBackward = (make, names, f) => {
  const gradients = (dy) =>
    tf.valueAndGrads((...values) =>
      f(Object.fromEntries(names.map((name, i) => [name, values[i]])))
        .mul(dy)
        .sum(),
    );
  return resident(make, (given) => gradients(given.dy)(names.map((name) => given[name])));
};

const silu = (x) => x.mul(x.sigmoid());
function groupNorm(x, g, b) {
  const [N, H, W, C] = x.shape;
  const grouped = x.reshape([N, H * W, GROUPS, C / GROUPS]);
  const { mean, variance } = tf.moments(grouped, [1, 3], true);
  const y = grouped.sub(mean).mul(variance.add(1e-5).rsqrt());
  return y.reshape([N, H, W, C]).mul(g).add(b);
}
const attention = (q, k, v) => tf.matMul(tf.softmax(tf.matMul(q, k, false, true).mul(q.shape[q.rank - 1] ** -0.5)), v);

const convOperands = () => ({
  x: drawn(7, 16, 32, 32, 64),
  w: drawn(9, 3, 3, 64, 64),
  b: drawn(10, 64),
  dy: drawn(14, 16, 32, 32, 64),
});
const convolve = ({ x, w, b }) => tf.conv2d(x, w, 1, 1).add(b);
const normOperands = () => ({
  x: drawn(7, 16, 32, 32, 64),
  g: tf.ones([64]),
  b: tf.zeros([64]),
  dy: drawn(14, 16, 32, 32, 64),
});
const normalise = ({ x, g, b }) => silu(groupNorm(x, g, b));
const attentionOperands = () => {
  const [q, k, v, dy] = [11, 12, 13, 14].map((seed) => drawn(seed, 32, 256, 32));
  return { q, k, v, dy };
};
const attend = ({ q, k, v }) => attention(q, k, v);

async function adamCase() {
  const p = tf.variable(drawn(7, 5_000_000), true, "adam");
  const gradient = drawn(3, 5_000_000);
  const optimizer = tf.train.adam(1e-4);
  return {
    async call() {
      optimizer.applyGradients({ adam: gradient });
      await finish();
    },
    release() {
      optimizer.dispose();
      tf.dispose([p, gradient]);
    },
  };
}

/** [B, C, H, W] → [B, H, W, C], and [O, I, R, S] → [R, S, I, O], on the device. */
const moved = (data, shape, order) => tf.tidy(() => tf.tensor(data, shape).transpose(order).clone());

let networks = 0;
/** The parameters as variables; names are unique among all networks. */
function parameters() {
  const id = networks++;
  return Object.fromEntries(
    Object.entries(benchParameters()).map(([name, { shape, data }]) => {
      const order = { 1: [0], 2: [1, 0], 4: [2, 3, 1, 0] }[shape.length];
      const value = moved(data, shape, order);
      const variable = tf.variable(value, true, `${name} ${id}`);
      value.dispose();
      return [name, variable];
    }),
  );
}
function batch() {
  const { x, y, embedding } = benchBatch();
  const images = (data) => moved(data, [BATCH, 3, 16, 16], [0, 2, 3, 1]);
  return { x: images(x), y: images(y), embedding: tf.tensor(embedding, [BATCH, 32]) };
}

function unet(P, x, embedding) {
  const conv = (name, h, stride = 1) => {
    const w = P[`${name}.w`];
    return tf.conv2d(h, w, stride, w.shape[0] >> 1, "NHWC", 1, "floor").add(P[`${name}.b`]);
  };
  const linear = (name, h) => tf.matMul(h, P[`${name}.w`]).add(P[`${name}.b`]);
  const norm = (name, h) => groupNorm(h, P[`${name}.g`], P[`${name}.b`]);
  const block = (name, h, e) => {
    let y = conv(`${name}.c1`, silu(norm(`${name}.gn1`, h)));
    y = y.add(linear(`${name}.emb`, e).reshape([BATCH, 1, 1, -1]));
    y = conv(`${name}.c2`, silu(norm(`${name}.gn2`, y)));
    return y.add(P[`${name}.sk.w`] ? conv(`${name}.sk`, h) : h);
  };
  const attend = (h) => {
    const [N, H, W, C] = h.shape;
    const [L, d] = [H * W, C / HEADS];
    const qkv = linear("at.qkv", norm("at.gn", h).reshape([N * L, C]))
      .reshape([N, L, 3, HEADS, d])
      .transpose([2, 0, 3, 1, 4]);
    const [q, k, v] = tf.unstack(qkv.reshape([3, N * HEADS, L, d]));
    const mixed = attention(q, k, v)
      .reshape([N, HEADS, L, d])
      .transpose([0, 2, 1, 3])
      .reshape([N * L, C]);
    return h.add(linear("at.o", mixed).reshape([N, H, W, C]));
  };
  // resizeNearestNeighbor has no gradient on this backend.
  const doubled = (h) => {
    const [N, H, W, C] = h.shape;
    const wide = tf.concat([h, h], 3).reshape([N, H, 1, 2 * W * C]);
    return tf.concat([wide, wide], 2).reshape([N, 2 * H, 2 * W, C]);
  };
  const e = silu(linear("t2", silu(linear("t1", embedding))));
  const h1 = block("d0a", conv("in", x), e);
  const h2 = block("d0b", h1, e);
  const h3 = block("d1a", conv("down", h2, 2), e);
  const h4 = block("d1b", h3, e);
  let h = block("m2", attend(block("m1", h4, e)), e);
  h = block("u1a", tf.concat([h, h4], 3), e);
  h = block("u1b", tf.concat([h, h3], 3), e);
  h = conv("up", doubled(h));
  h = block("u0a", tf.concat([h, h2], 3), e);
  h = block("u0b", tf.concat([h, h1], 3), e);
  return conv("out", silu(norm("out.gn", h)));
}

async function unetForward() {
  const P = parameters();
  const { x, y, embedding } = batch();
  return {
    async call() {
      const out = tf.tidy(() => unet(P, x, embedding));
      await finish();
      out.dispose();
    },
    release: () => tf.dispose([P, x, y, embedding]),
  };
}

async function unetStep() {
  const P = parameters();
  const { x, y, embedding } = batch();
  const optimizer = tf.train.adam(1e-3);
  const loss = () => unet(P, x, embedding).sub(y).square().mean();
  const run = () => optimizer.minimize(loss, true, Object.values(P));
  return {
    async call() {
      const loss = run();
      await finish();
      loss.dispose();
    },
    async callAndRead() {
      const loss = run();
      const [value] = await loss.data();
      loss.dispose();
      return value;
    },
    release() {
      optimizer.dispose();
      tf.dispose([P, x, y, embedding]);
    },
  };
}

await serve({
  about: `TensorFlow.js ${tf.version.tfjs} on WebGPU: ${await adapterName()}`,
  cases: {
    ...Object.fromEntries(
      [256, 512, 1024].map((n) => [
        `matmul ${n}`,
        resident(
          () => ({ a: drawn(7, n, n), b: drawn(8, n, n) }),
          ({ a, b }) => tf.matMul(a, b),
        ),
      ]),
    ),
    "conv forward": resident(convOperands, convolve),
    "conv backward": withBackward(convOperands, ["x", "w", "b"], convolve),
    "groupnorm silu": resident(normOperands, normalise),
    "groupnorm silu backward": withBackward(normOperands, ["x", "g", "b"], normalise),
    attention: resident(attentionOperands, attend),
    "attention backward": withBackward(attentionOperands, ["q", "k", "v"], attend),
    elementwise: resident(
      () => ({ e: drawn(7, 4 * 2 ** 20) }),
      ({ e }) => e.mul(1.1).add(0.3).sigmoid().mul(e).sub(0.1).square().add(1).sqrt(),
    ),
    "adam 5M": adamCase,
    "unet forward": unetForward,
    "unet step": unetStep,
  },
  counters: () => counters.counters(),
  forgetPeak: () => counters.forgetPeak(),
});
