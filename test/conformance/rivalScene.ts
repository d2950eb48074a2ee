/** A sub-case of the rival methods: the tiny network that all of them share, and what was asked of it. */
import { edmDenoiser, type RawNetwork } from "../../core/diffusion/mod.ts";
import { grad } from "../../core/graph/mod.ts";
import type { Condition, Denoiser } from "../../core/interfaces/mod.ts";
import { add, matmul, mean, mul, oneHot, reshape, tanh } from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { evaluateOn, Feed } from "./feed.ts";
import type { GoldenCase } from "./goldenCase.ts";
import type { Job } from "./kind.ts";

/** One call of a network or denoiser. */
export interface Call {
  readonly x: Tensor;
  /** Of a raw network, its argument of time. */
  readonly sigma: Tensor;
  readonly out: Tensor;
}

/** Inputs of a sub-case, its networks and their calls, and what is compared. */
export class RivalScene {
  readonly feed = new Feed();
  readonly reference: GoldenCase;
  readonly id: string;
  readonly #weights = new Map<string, Map<string, Tensor>>();
  readonly #outputs: Record<string, Tensor> = {};
  readonly #numbers: Record<string, ArrayLike<number>> = {};

  constructor({ reference }: Job, id: string) {
    this.reference = reference;
    this.id = id;
  }
  tensor(name: string): Tensor {
    const full = `${this.id}.${name}`;
    return this.feed.tensor(full, this.reference.shape(full), this.reference.f32(full));
  }
  /** Numbers per sample, such as noise levels, [B]. */
  perSample(name: string, values: readonly number[]): Tensor {
    return this.feed.tensor(`${this.id}.${name}`, [values.length], values);
  }
  indices(name: string): number[] {
    return [...this.reference.i32(`${this.id}.${name}`)];
  }
  /** The class of each sample, where the case has one. */
  condition(): Condition {
    const name = `${this.id}.int.label`;
    return this.reference.has(name) ? this.feed.label(name, this.reference.i32(name)) : {};
  }

  /** F(x; τ) over the weights `w.<net>.`: one hidden layer of 1×1 mixing, with the mean of the image, time and class. */
  network(net: string): RawNetwork {
    const { reference, feed } = this;
    const made = this.#weights.get(net) ?? new Map<string, Tensor>();
    this.#weights.set(net, made);
    const w = (name: string): Tensor => {
      const full = `w.${net}.${name}`;
      const known = made.get(name) ?? feed.tensor(full, reference.shape(full), reference.f32(full));
      made.set(name, known);
      return known;
    };
    const rows = (x: Tensor, name: string) => matmul(x, w(name), { transB: true });
    return (x, tau, { label }) => {
      const [B, C, H, W] = x.shape;
      const flat = reshape(x, [B, C, H * W]);
      const time = tanh(add(mul(reshape(tau, [B, 1]), w("time_a")), w("time_b")));
      let shared = add(rows(time, "time_w"), rows(mean(flat, { axes: [2] }), "mean_w"));
      if (label) shared = add(shared, rows(oneHot(label, w("label_w").shape[1]), "label_w"));
      const [M] = w("in_b").shape;
      const hidden = tanh(add(matmul(w("in_w"), flat), reshape(add(shared, w("in_b")), [B, M, 1])));
      const [out] = w("out_b").shape;
      const mixed = add(matmul(w("out_w"), hidden), matmul(w("skip_w"), flat));
      return reshape(add(mixed, reshape(w("out_b"), [out, 1])), [B, out, H, W]);
    };
  }
  /** The network in EDM's preconditioning. */
  edm(net: string, sigmaData: number): Denoiser {
    return edmDenoiser(this.network(net), sigmaData);
  }

  /** Compares `cN.out.<name>` and its float64 twin, where the sub-case has them. */
  output(name: string, value: Tensor | ArrayLike<number>): void {
    for (const full of [`${this.id}.out.${name}`, `${this.id}.f64.out.${name}`])
      if (this.reference.has(full)) {
        if ("op" in value) this.#outputs[full] = value;
        else this.#numbers[full] = value;
      }
  }
  /** Asks for the gradient of every weight of a network that has one. */
  gradients(loss: Tensor, net: string): void {
    const prefix = `${this.id}.grad.${net}.`;
    const names = this.reference.names(prefix).map((name) => name.slice(prefix.length));
    const weights = names.map((name) => this.#weights.get(net)!.get(name)!);
    const found = grad(loss, weights);
    for (const [i, name] of names.entries()) this.#outputs[prefix + name] = found[i];
  }
  /** Computes and compares. */
  async check({ backend, check }: Job): Promise<void> {
    for (const [name, values] of Object.entries(this.#numbers)) check(values, name);
    const results = await evaluateOn(backend, this.#outputs, this.feed);
    for (const [name, values] of Object.entries(results)) check(values, name);
  }
}

/** A raw network that keeps its calls. */
export function watchedNetwork(network: RawNetwork, calls: Call[]): RawNetwork {
  return (x, sigma, condition) => {
    const out = network(x, sigma, condition);
    calls.push({ x, sigma, out });
    return out;
  };
}
/** A denoiser that keeps its calls. */
export const watchedDenoiser = ({ denoise }: Denoiser, calls: Call[]): Denoiser => ({
  denoise: watchedNetwork(denoise, calls),
});
