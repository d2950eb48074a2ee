// jax-js on WebGPU, jitted. Its arrays are counted by hand: an operation uses up its operands, `.ref` keeps one alive.
import { BATCH, benchBatch, benchParameters, GROUPS, HEADS, hashUniform } from "../data.ts";
import { serve } from "../serve.ts";
import { adapterName, installBrowserGlobals } from "./browserGlobals.mjs";

const counters = installBrowserGlobals();
const jax = await import("@jax-js/jax");
const { numpy: np, nn, lax, valueAndGrad, jit, tree } = jax;
await jax.init("webgpu");
jax.defaultDevice("webgpu");

const array = (data, shape) => np.array(data).reshape(shape);
const drawn = (seed, ...shape) =>
  array(
    hashUniform(
      seed,
      shape.reduce((a, b) => a * b, 1),
    ),
    shape,
  );
const refs = (values) => Object.fromEntries(Object.entries(values).map(([k, v]) => [k, v.ref]));

/** A case from named operands, which stay on the device, and a function of them, which uses them up. */
const resident = (make, f) => async () => {
  const operands = make();
  const compiled = jit(f);
  return {
    async call() {
      const result = compiled(refs(operands));
      await jax.blockUntilReady(result);
      tree.dispose(result);
    },
    release: () => tree.dispose(operands),
  };
};
/** f(operands)·dy and its gradients. */
const withBackward = (make, f) =>
  resident(make, ({ dy, ...operands }) => valueAndGrad((given) => f(given).mul(dy.ref).sum())(operands));

const conv2d = (x, w, stride = 1, padding = 1) =>
  lax.convGeneralDilated(
    x,
    w,
    [stride, stride],
    [
      [padding, padding],
      [padding, padding],
    ],
  );
function groupNorm(x, g, b) {
  const [N, C, H, W] = x.shape;
  const grouped = x.reshape([N, GROUPS, (C / GROUPS) * H * W]);
  const y = nn.standardize(grouped, -1, { epsilon: 1e-5 }).reshape([N, C, H, W]);
  return y.mul(g.reshape([1, C, 1, 1])).add(b.reshape([1, C, 1, 1]));
}

const convOperands = () => ({
  x: drawn(7, 16, 64, 32, 32),
  w: drawn(9, 64, 64, 3, 3),
  b: drawn(10, 1, 64, 1, 1),
});
const convolve = ({ x, w, b }) => conv2d(x, w).add(b);
const normOperands = () => ({ x: drawn(7, 16, 64, 32, 32), g: np.ones([64]), b: np.zeros([64]) });
const normalise = ({ x, g, b }) => nn.silu(groupNorm(x, g, b));
const heads = [8, 256, 4, 32];
const attentionOperands = () => ({
  q: drawn(11, ...heads),
  k: drawn(12, ...heads),
  v: drawn(13, ...heads),
});
const attend = ({ q, k, v }) => nn.dotProductAttention(q, k, v);
const and = (make, seed, shape) => () => ({ ...make(), dy: drawn(seed, ...shape) });

/** Adam over a record of arrays; `t` is an array, so that one compilation serves all steps. */
function adam(p, g, m, v, t, rate) {
  const c1 = np.subtract(1, np.power(0.9, t.ref));
  const c2 = np.subtract(1, np.power(0.999, t));
  const [P, M, V] = [{}, {}, {}];
  for (const k of Object.keys(p)) {
    M[k] = m[k].mul(0.9).add(g[k].ref.mul(0.1));
    V[k] = v[k].mul(0.999).add(np.square(g[k]).mul(0.001));
    const root = np.sqrt(V[k].ref.div(c2.ref)).add(1e-8);
    P[k] = p[k].sub(M[k].ref.div(c1.ref).mul(rate).div(root));
  }
  c1.dispose();
  c2.dispose();
  return [P, M, V];
}

async function adamCase() {
  const size = 5_000_000;
  const g = { a: drawn(3, size) };
  let [p, m, v] = [{ a: drawn(7, size) }, { a: np.zeros([size]) }, { a: np.zeros([size]) }];
  const update = jit((p, g, m, v, t) => adam(p, g, m, v, t, 1e-4));
  let t = 0;
  return {
    async call() {
      [p, m, v] = update(p, refs(g), m, v, np.array(++t));
      await jax.blockUntilReady([p, m, v]);
    },
    release: () => tree.dispose([p, m, v, g]),
  };
}

/** Uses up x and embedding, not the parameters. */
function unet(P, x, embedding) {
  const p = (name) => P[name].ref;
  const conv = (name, h, stride = 1) => {
    const w = p(`${name}.w`);
    return conv2d(h, w, stride, w.shape[2] >> 1).add(p(`${name}.b`).reshape([1, -1, 1, 1]));
  };
  const linear = (name, h) => np.matmul(h, p(`${name}.w`).transpose()).add(p(`${name}.b`));
  const norm = (name, h) => groupNorm(h, p(`${name}.g`), p(`${name}.b`));
  const block = (name, h, e) => {
    const skip = `${name}.sk.w` in P ? conv(`${name}.sk`, h.ref) : h.ref;
    let y = conv(`${name}.c1`, nn.silu(norm(`${name}.gn1`, h)));
    y = y.add(linear(`${name}.emb`, e).reshape([BATCH, -1, 1, 1]));
    return conv(`${name}.c2`, nn.silu(norm(`${name}.gn2`, y))).add(skip);
  };
  const attention = (h) => {
    const [N, C, H, W] = h.shape;
    const z = norm("at.gn", h.ref)
      .reshape([N, C, H * W])
      .transpose([0, 2, 1]);
    const qkv = linear("at.qkv", z).reshape([N, H * W, 3, HEADS, C / HEADS]);
    const part = (i, from) => from.slice([], [], i);
    const [q, k] = [part(0, qkv.ref), part(1, qkv.ref)];
    const mixed = nn.dotProductAttention(q, k, part(2, qkv)).reshape([N, H * W, C]);
    return h.add(linear("at.o", mixed).transpose([0, 2, 1]).reshape([N, C, H, W]));
  };
  const doubled = (h) => {
    const [N, C, H, W] = h.shape;
    const spread = np.broadcastTo(h.reshape([N, C, H, 1, W, 1]), [N, C, H, 2, W, 2]);
    return spread.reshape([N, C, 2 * H, 2 * W]);
  };
  const e = nn.silu(linear("t2", nn.silu(linear("t1", embedding))));
  const h1 = block("d0a", conv("in", x), e.ref);
  const h2 = block("d0b", h1.ref, e.ref);
  const h3 = block("d1a", conv("down", h2.ref, 2), e.ref);
  const h4 = block("d1b", h3.ref, e.ref);
  let h = block("m2", attention(block("m1", h4.ref, e.ref)), e.ref);
  h = block("u1a", np.concatenate([h, h4], 1), e.ref);
  h = block("u1b", np.concatenate([h, h3], 1), e.ref);
  h = conv("up", doubled(h));
  h = block("u0a", np.concatenate([h, h2], 1), e.ref);
  h = block("u0b", np.concatenate([h, h1], 1), e);
  return conv("out", nn.silu(norm("out.gn", h)));
}

const parameters = () =>
  Object.fromEntries(Object.entries(benchParameters()).map(([k, { shape, data }]) => [k, array(data, shape)]));
function batch() {
  const { x, y, embedding } = benchBatch();
  const images = [BATCH, 3, 16, 16];
  return { x: array(x, images), y: array(y, images), embedding: array(embedding, [BATCH, 32]) };
}

async function unetForward() {
  const P = parameters();
  const { x, y, embedding } = batch();
  const forward = jit((P, x, embedding) => {
    const out = unet(P, x, embedding);
    tree.dispose(P);
    return out;
  });
  return {
    async call() {
      const out = forward(refs(P), x.ref, embedding.ref);
      await jax.blockUntilReady(out);
      tree.dispose(out);
    },
    release: () => tree.dispose([P, x, y, embedding]),
  };
}

async function unetStep() {
  let P = parameters();
  const like = () => Object.fromEntries(Object.entries(P).map(([k, { shape }]) => [k, np.zeros(shape)]));
  let [M, V] = [like(), like()];
  const { x, y, embedding } = batch();
  const loss = (P, x, y, embedding) => {
    const value = np.square(unet(P, x, embedding).sub(y)).mean();
    tree.dispose(P);
    return value;
  };
  const step = jit((P, M, V, t, x, y, embedding) => {
    const [value, gradients] = valueAndGrad(loss)(refs(P), x, y, embedding);
    return [value, ...adam(P, gradients, M, V, t, 1e-3)];
  });
  let t = 0;
  const run = () => {
    let value;
    [value, P, M, V] = step(P, M, V, np.array(++t), x.ref, y.ref, embedding.ref);
    return value;
  };
  return {
    async call() {
      const value = run();
      await jax.blockUntilReady([value, P, M, V]);
      value.dispose();
    },
    callAndRead: async () => (await run().data())[0],
    release: () => tree.dispose([P, M, V, x, y, embedding]),
  };
}

await serve({
  about: `jax-js 0.1.25 on WebGPU: ${await adapterName()}`,
  cases: {
    ...Object.fromEntries(
      [256, 512, 1024].map((n) => [
        `matmul ${n}`,
        resident(
          () => ({ a: drawn(7, n, n), b: drawn(8, n, n) }),
          ({ a, b }) => np.matmul(a, b),
        ),
      ]),
    ),
    "conv forward": resident(convOperands, convolve),
    "conv backward": withBackward(and(convOperands, 14, [16, 64, 32, 32]), convolve),
    "groupnorm silu": resident(normOperands, normalise),
    "groupnorm silu backward": withBackward(and(normOperands, 14, [16, 64, 32, 32]), normalise),
    attention: resident(attentionOperands, attend),
    "attention backward": withBackward(and(attentionOperands, 14, heads), attend),
    elementwise: resident(
      () => ({ e: drawn(7, 4 * 2 ** 20) }),
      ({ e }) => {
        const gate = nn.sigmoid(e.ref.mul(1.1).add(0.3));
        return np.sqrt(np.square(gate.mul(e).sub(0.1)).add(1));
      },
    ),
    "adam 5M": adamCase,
    "unet forward": unetForward,
    "unet step": unetStep,
  },
  counters: () => counters.counters(),
  forgetPeak: () => counters.forgetPeak(),
});
