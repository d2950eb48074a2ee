/**
 * The bench U-Net: images [32, 3, 16, 16], a noise embedding [32, 32], channels 32 and 64, two residual blocks a level,
 * attention with 4 heads at 8 x 8. Every engine builds it from these parameters and runs it on this batch, so that the
 * losses of its first steps can be compared.
 */
export const BATCH = 32;
export const EMBEDDING = 128;
export const GROUPS = 8;
export const HEADS = 4;

/** Losses of steps 1 … 6 with Adam at rate 1e-3, from PyTorch; all engines must be within `LOSS_TOLERANCE`. */
export const LOSSES: readonly number[] = [0.446541, 0.492049, 0.432758, 0.368082, 0.34562, 0.354817];
export const LOSS_TOLERANCE = 1e-4;

/** `count` numbers in [-1, 1): a hash of seed and index, the same in every language. */
export function hashUniform(seed: number, count: number): Float32Array {
  const out = new Float32Array(count);
  const start = (seed * 40503 + 12345) >>> 0;
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 2654435761) + start) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
    out[i] = ((x ^ (x >>> 16)) >>> 0) / 2147483648 - 1;
  }
  return out;
}

/** A parameter of the bench U-Net. Convolutions are [out, in, k, k], linear layers [out, in]. */
export interface Parameter {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All parameters by name: `.w` and `.b` of layers, `.g` and `.b` of normalisations. The order seeds their values. */
export function benchParameters(): Record<string, Parameter> {
  const found: Record<string, Parameter> = {};
  let seed = 1000;
  const put = (name: string, shape: readonly number[], value: number | "drawn") => {
    const size = shape.reduce((a, b) => a * b, 1);
    let data = new Float32Array(size);
    if (value === "drawn") {
      const bound = Math.fround(Math.sqrt(size / shape[0]));
      data = hashUniform(seed, size).map((x) => x / bound);
    } else data.fill(value);
    seed++;
    found[name] = { shape, data };
  };
  const layer = (name: string, shape: readonly number[]) => {
    put(`${name}.w`, shape, "drawn");
    put(`${name}.b`, [shape[0]], 0);
  };
  const conv = (name: string, from: number, to: number, k = 3) => layer(name, [to, from, k, k]);
  const linear = (name: string, from: number, to: number) => layer(name, [to, from]);
  const norm = (name: string, channels: number) => {
    put(`${name}.g`, [channels], 1);
    put(`${name}.b`, [channels], 0);
  };
  const block = (name: string, from: number, to: number) => {
    norm(`${name}.gn1`, from);
    conv(`${name}.c1`, from, to);
    linear(`${name}.emb`, EMBEDDING, to);
    norm(`${name}.gn2`, to);
    conv(`${name}.c2`, to, to);
    if (from !== to) conv(`${name}.sk`, from, to, 1);
  };
  linear("t1", 32, EMBEDDING);
  linear("t2", EMBEDDING, EMBEDDING);
  conv("in", 3, 32);
  block("d0a", 32, 32);
  block("d0b", 32, 32);
  conv("down", 32, 32);
  block("d1a", 32, 64);
  block("d1b", 64, 64);
  block("m1", 64, 64);
  norm("at.gn", 64);
  linear("at.qkv", 64, 192);
  linear("at.o", 64, 64);
  block("m2", 64, 64);
  block("u1a", 128, 64);
  block("u1b", 128, 64);
  conv("up", 64, 64);
  block("u0a", 96, 32);
  block("u0b", 64, 32);
  norm("out.gn", 32);
  conv("out", 32, 3);
  return found;
}

/** The batch: noisy images and targets [32, 3, 16, 16], and [cos | sin] of the noise levels [32, 32]. */
export function benchBatch(): { x: Float32Array; y: Float32Array; embedding: Float32Array } {
  const size = BATCH * 3 * 16 * 16;
  const embedding = new Float32Array(BATCH * 32);
  for (let b = 0; b < BATCH; b++)
    for (let i = 0; i < 16; i++) {
      const angle = ((b * 31) % 1000) * Math.fround(Math.exp(i * (-Math.log(10000) / 16)));
      embedding[b * 32 + i] = Math.cos(angle);
      embedding[b * 32 + 16 + i] = Math.sin(angle);
    }
  return { x: hashUniform(1, size), y: hashUniform(2, size), embedding };
}
