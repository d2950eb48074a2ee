/** A sub-case of the rival methods: the tiny network that all of them share, and what was asked of it. */
import { edmProcess, type RawNetwork } from "../../core/diffusion/mod.ts";
import { grad } from "../../core/graph/mod.ts";
import type { Condition, Denoiser } from "../../core/interfaces/mod.ts";
import { Scope } from "../../core/nn/mod.ts";
import { add, log, matmul, mean, mul, oneHot, reshape, tanh } from "../../core/ops/mod.ts";
import { type ConfiguredPlugin, definePlugin } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { scaleEmbedding } from "../../plugins/networks/unet2d/scaleEmbedding.ts";
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
  /** Of its sub-case; empty where the case has none. */
  readonly id: string;
  /** Of the names of its tensors. */
  readonly prefix: string;
  readonly #weights = new Map<string, Map<string, Tensor>>();
  readonly #outputs: Record<string, Tensor> = {};
  readonly #inputs = new Map<string, Tensor>();
  readonly #numbers: Record<string, ArrayLike<number>> = {};

  constructor({ reference }: Job, id = "") {
    this.reference = reference;
    this.id = id;
    this.prefix = id === "" ? "" : `${id}.`;
  }
  /** An input of the sub-case; the same tensor when asked for again. */
  tensor(name: string): Tensor {
    const full = `${this.prefix}${name}`;
    const known =
      this.#inputs.get(full) ?? this.feed.tensor(full, this.reference.shape(full), this.reference.f32(full));
    this.#inputs.set(full, known);
    return known;
  }
  /** Numbers per sample, such as noise levels, [B]. */
  perSample(name: string, values: readonly number[]): Tensor {
    return this.feed.tensor(`${this.prefix}${name}`, [values.length], values);
  }
  /** Numbers of the sub-case, for the host. */
  numbers(name: string): Float64Array {
    return Float64Array.from(this.reference.f64(`${this.prefix}${name}`));
  }
  indices(name: string): number[] {
    return [...this.reference.i32(`${this.prefix}${name}`)];
  }
  /** The class of each sample, where the case has one: an index, or the row of `name`, of which zeros are no class. */
  condition(name = "in.labels"): Condition {
    const index = `${this.prefix}int.label`;
    if (this.reference.has(index)) return this.feed.label(index, this.reference.i32(index));
    return this.reference.has(`${this.prefix}${name}`) ? { classes: this.tensor(name) } : {};
  }

  /** The tensors of `w.<net>.`, each an input of the program. */
  #weightsOf(net: string): (name: string) => Tensor {
    const { reference, feed } = this;
    const made = this.#weights.get(net) ?? new Map<string, Tensor>();
    this.#weights.set(net, made);
    return (name) => {
      const full = `w.${net}.${name}`;
      const known = made.get(name) ?? feed.tensor(full, reference.shape(full), reference.f32(full));
      made.set(name, known);
      return known;
    };
  }
  /** A weight of a network, as the network has it. */
  weight(net: string, name: string): Tensor {
    return this.#weightsOf(net)(name);
  }
  /** Gives a network other weights than those of the case. */
  give(net: string, weights: Readonly<Record<string, Tensor>>): void {
    this.#weights.set(net, new Map(Object.entries(weights)));
  }
  /** F(x; τ) over the weights `w.<net>.`: one hidden layer of 1×1 mixing, with the mean of the image, time and class. */
  network(net: string): RawNetwork {
    const w = this.#weightsOf(net);
    const hidden = this.hidden(net);
    return (x, tau, condition) => {
      const [B, C, H, W] = x.shape;
      const flat = reshape(x, [B, C, H * W]);
      const h = hidden(x, tau, condition);
      const [out] = w("out_b").shape;
      const mixed = add(matmul(w("out_w"), reshape(h, [B, h.shape[1], H * W])), matmul(w("skip_w"), flat));
      return reshape(add(mixed, reshape(w("out_b"), [out, 1])), [B, out, H, W]);
    };
  }
  /** What discriminators read of that network: its hidden layer, [B, M, H, W]. */
  hidden(net: string): RawNetwork {
    const w = this.#weightsOf(net);
    const rows = (x: Tensor, name: string) => matmul(x, w(name), { transB: true });
    return (x, tau, { label, classes, guidance, end }) => {
      const [B, C, H, W] = x.shape;
      const flat = reshape(x, [B, C, H * W]);
      const timed = (t: Tensor, name: string) => {
        const features = tanh(add(mul(reshape(t, [B, 1]), w(`${name}_a`)), w(`${name}_b`)));
        return rows(features, `${name}_w`);
      };
      let shared = add(timed(tau, "time"), rows(mean(flat, { axes: [2] }), "mean_w"));
      if (classes) shared = add(shared, rows(classes, "label_w"));
      if (end) shared = add(shared, timed(end, "time2"));
      if (guidance) shared = add(shared, rows(scaleEmbedding(guidance, w("guid_w").shape[1]), "guid_w"));
      if (label) shared = add(shared, rows(oneHot(label, w("label_w").shape[1]), "label_w"));
      const [M] = w("in_b").shape;
      const mixed = add(matmul(w("in_w"), flat), reshape(add(shared, w("in_b")), [B, M, 1]));
      return reshape(tanh(mixed), [B, M, H, W]);
    };
  }
  /** The log-variance that the network of a level in EDM's preconditioning learns beside its answer. sigma [B] → [B]. */
  logVariance(net: string): (sigma: Tensor) => Tensor {
    const w = this.#weightsOf(net);
    return (sigma) => {
      const tau = mul(log(sigma), 0.25);
      const features = tanh(add(mul(reshape(tau, [-1, 1]), w("time_a")), w("time_b")));
      return reshape(add(matmul(features, w("logvar_w"), { transB: true }), w("logvar_b")), [-1]);
    };
  }
  /** FastGen's discriminator on such features h [B, M, H, W]: tanh(p w1ᵀ + b1) w2ᵀ + b2, p the mean of h → [B, heads]. */
  head(net = "disc"): (features: Tensor) => Tensor {
    const w = this.#weightsOf(net);
    const layer = (x: Tensor, i: number) => add(matmul(x, w(`w${i}`), { transB: true }), w(`b${i}`));
    return (features) => layer(tanh(layer(mean(features, { axes: [2, 3] }), 1)), 2);
  }
  /** The network in EDM's preconditioning. */
  edm(net: string, sigmaData: number): Required<Omit<Denoiser, "calls" | "startsOnly">> {
    const process = edmProcess(sigmaData);
    return {
      ...process.denoiser(this.network(net)),
      features: (...noisy) => process.features(this.hidden(net), ...noisy),
    };
  }

  /** The network as the plugin of a run, for roles that are bound over `NO_SCOPE`. */
  networkPlugin(net: string): ConfiguredPlugin {
    const [apply, features] = [this.network(net), this.hidden(net)];
    return definePlugin({
      name: "tiny",
      kind: "network",
      about: "The reference's tiny network",
      options: {},
      create: () => ({
        apply: (_, ...inputs) => apply(...inputs),
        features: (_, ...inputs) => features(...inputs),
      }),
    })();
  }

  /** Compares `cN.out.<name>` and its float64 twin, where the sub-case has them. */
  output(name: string, value: Tensor | ArrayLike<number>): void {
    for (const full of [`${this.prefix}out.${name}`, `${this.prefix}f64.out.${name}`])
      if (this.reference.has(full)) {
        if ("op" in value) this.#outputs[full] = value;
        else this.#numbers[full] = value;
      }
  }
  /** Compares the gradient `cN.grad.<name>` with that of a tensor, where the sub-case has it. */
  gradient(loss: Tensor, name: string, of: Tensor): void {
    const full = `${this.prefix}grad.${name}`;
    if (this.reference.has(full)) this.#outputs[full] = grad(loss, [of])[0];
  }
  /** Asks for the gradient of every weight of a network that has one. */
  gradients(loss: Tensor, net: string): void {
    const prefix = `${this.prefix}grad.${net}.`;
    const names = this.reference.names(prefix).map((name) => name.slice(prefix.length));
    for (const [name, { gradient }] of Object.entries(this.learning(loss, net, names)))
      this.#outputs[prefix + name] = gradient;
  }
  /** Weights of a network by name, each with its gradient. */
  learning(
    loss: Tensor,
    net: string,
    names: readonly string[],
  ): Record<string, { readonly weight: Tensor; readonly gradient: Tensor }> {
    const weights = names.map((name) => this.#weights.get(net)!.get(name)!);
    const found = grad(loss, weights);
    return Object.fromEntries(names.map((name, i) => [name, { weight: weights[i], gradient: found[i] }]));
  }
  /** Computes and compares. */
  async check({ backend, check }: Job): Promise<void> {
    for (const [name, values] of Object.entries(this.#numbers)) check(values, name);
    const results = await evaluateOn(backend, this.#outputs, this.feed);
    for (const [name, values] of Object.entries(results)) check(values, name);
  }
}

/** Where roles over a tiny network are bound: it has its weights elsewhere. */
export const NO_SCOPE = new Scope((name) => {
  throw new Error(`nothing asks for ${name}`);
});

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
