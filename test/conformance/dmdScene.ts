/** A case of DMD2 as one program. */
import { grad } from "../../core/graph/mod.ts";
import {
  type Condition,
  CRITIC,
  emptyName,
  GENERATOR,
  type GeneratorNetwork,
  type Images,
  LOSSES,
  type Loss,
  type LossContext,
  NETWORK,
  PROCESS,
  TEACHER,
} from "../../core/interfaces/mod.ts";
import { isLora } from "../../core/nn/mod.ts";
import { add, constant, sqrt, square, sum } from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { criticName, recipeOf } from "./dmdRecipe.ts";
import { compose, evaluateOn, Feed, GivenNoise, labelsOf } from "./feed.ts";
import type { GoldenCase } from "./goldenCase.ts";
import type { Job } from "./kind.ts";

/** What the roles were asked and answered while a loss was traced. */
export interface Seen {
  noisy?: Tensor;
  sigma?: Tensor;
  real?: Tensor;
  fake?: Tensor;
  logits?: Tensor;
  judged?: { readonly x: Tensor; readonly sigma: Tensor; readonly condition: Condition };
}

/** Roles of a case over the weights that it names, its tensors as inputs of one program, and what that computes. */
export class DmdScene {
  readonly reference: GoldenCase;
  readonly feed = new Feed();
  readonly seen: Seen = {};
  readonly outputs: Record<string, Tensor> = {};
  /** What the case calls its samples. */
  readonly samples: "image" | "latents";
  readonly container;
  readonly #weights;
  /** LoRA parameters alone get a gradient. */
  readonly #tuned: boolean;
  readonly #inputs = new Map<string, Tensor>();

  constructor({ reference, set }: Job) {
    this.reference = reference;
    const { config } = reference;
    this.samples = config.unet ? "latents" : "image";
    const file = (name?: string) => name && set.case(name.replace(/\.safetensors$/, ""));
    const adapters = file(config.lora_file) as GoldenCase | undefined;
    const stored = file(config.weights_file) as GoldenCase;
    this.#tuned = adapters !== undefined;
    const latents = ["in.latents", "in.fake_latents", "in.noise"].find((name) => reference.has(name));
    const { shape, plugins } = recipeOf(config, {
      sample: latents ? reference.shape(latents).slice(1) : undefined,
      adapters: adapters?.watched().config,
    });
    this.container = compose(shape, ...plugins);
    const own = (file(config.generator_weights_file) as GoldenCase | undefined) ?? stored;
    const generator = own.names("w.generator.").length > 0 ? "w.generator." : "w.real.";
    this.#weights = {
      teacher: this.feed.weights("teacher.", (name) => stored.f32(`w.real.${name}`)),
      critic: this.feed.weights("critic.", (name) => stored.f32(`w.${criticName(name)}`)),
      generator: this.feed.weights("generator.", (name) =>
        adapters && isLora(name) ? adapters.f32(`w.${name}`) : own.f32(generator + name),
      ),
    };
  }

  /** An input of the case; the same tensor when asked for again. */
  tensor(name: string): Tensor {
    const { reference, feed } = this;
    return this.#once(name, () => feed.tensor(name, reference.shape(name), reference.f32(name)));
  }
  #once(name: string, make: () => Tensor): Tensor {
    const known = this.#inputs.get(name) ?? make();
    this.#inputs.set(name, known);
    return known;
  }
  /** Samples with what they show; `which` is "fake_" or "real_" where a case has both. */
  images(which = ""): Images {
    const x = this.tensor(`in.${which}${this.samples}`);
    return { x, condition: this.condition(which) };
  }
  condition(which = ""): Condition {
    const { reference, feed } = this;
    const found = (name: string) => [`in.${which}${name}`, `in.${name}`].find((each) => reference.has(each));
    const part = (key: string, name: string) => {
      const there = found(name);
      return there && { [key]: this.tensor(there) };
    };
    const labels = found("labels");
    if (labels) {
      const { label_dim: classes } = reference.config;
      if (!classes) return {};
      const indices = labelsOf(reference.f32(labels), classes);
      return { label: this.#once(labels, () => feed.label(labels, indices).label!) };
    }
    if (this.samples === "image") return {};
    return {
      ...part("text", "text_embedding"),
      ...part("pooled", "pooled_text_embedding"),
      ...part("timeIds", "time_ids"),
      ...this.#empty("text", "uncond_embedding"),
      ...this.#empty("pooled", "uncond_pooled_embedding"),
    };
  }
  /** The value that stands for no entry; zeros where the case has none. */
  #empty(entry: string, name: string): Condition {
    const embedding = entry === "text" ? "in.text_embedding" : "in.pooled_text_embedding";
    if (this.reference.has(`in.${name}`)) return { [emptyName(entry)]: this.tensor(`in.${name}`) };
    if (!this.reference.has(embedding)) return {};
    return { [emptyName(entry)]: constant(0, "f32", this.reference.shape(embedding)) };
  }
  /** Draws in the order given, each a noise and its timesteps where the case has them: `rand.dm_noise` of "dm_". */
  draws(...names: string[]): GivenNoise {
    const { reference, feed } = this;
    const [normals, integers] = [[] as Tensor[], [] as Tensor[]];
    for (const name of names) {
      const [noise, timesteps] = ["noise", "timesteps"].map((what) => `rand.${name}${what}`);
      if (reference.has(noise)) normals.push(this.tensor(noise));
      if (!reference.has(timesteps)) continue;
      const indices = reference.i32(timesteps);
      integers.push(feed.tensor(timesteps, [indices.length], indices, "i32"));
    }
    return new GivenNoise(normals, integers);
  }
  /** A loss of the recipe, where it has it. */
  loss(name: "gan-generator" | "gan-discriminator"): Loss | undefined;
  loss(name: "distribution-matching" | "fake-score"): Loss;
  loss(name: string): Loss | undefined {
    return this.container.all(LOSSES).find((each) => each.name === name);
  }
  get generator(): GeneratorNetwork {
    return this.container.get(GENERATOR).bind(this.#weights.generator.scope);
  }
  /** The roles, watched. */
  context(given: Pick<LossContext, "generated" | "noise"> & Partial<LossContext>): LossContext {
    const { seen } = this;
    const teacher = this.container.get(TEACHER).bind(this.#weights.teacher.scope);
    const critic = this.container.get(CRITIC).bind(this.#weights.critic.scope);
    return {
      shared: {},
      ...given,
      teacher: {
        denoise(x, sigma, condition) {
          seen.real = teacher.denoise(x, sigma, condition);
          return seen.real;
        },
      },
      critic: {
        denoise(x, sigma, condition) {
          Object.assign(seen, { noisy: x, sigma });
          seen.fake = critic.denoise(x, sigma, condition);
          return seen.fake;
        },
        discriminate(x, sigma, condition) {
          seen.judged = { x, sigma, condition };
          seen.logits = critic.discriminate(x, sigma, condition);
          return seen.logits;
        },
      },
    } as LossContext;
  }
  /** Features of what the discriminator has seen. */
  features(): Tensor {
    const network = this.container.get(NETWORK);
    const body = this.#weights.critic.scope.at("fake_unet");
    const { x, sigma, condition } = this.seen.judged!;
    const process = this.container.get(PROCESS);
    return process.features((...given) => network.features(body, ...given), x, sigma, condition);
  }
  /**
   * Asks for the gradient of every parameter that has one, named `prefix` + `name(parameter)`; returns their common norm.
   * A parameter without a gradient in the case, as of the decoder for a discriminator loss, must have none here.
   */
  gradients(
    loss: Tensor,
    role: "critic" | "generator",
    prefix: string,
    name: (parameter: string) => string = (parameter) => parameter,
  ): Tensor {
    const tuned = this.#tuned && role === "generator";
    const parameters = [...this.#weights[role].tensors].filter(([key]) => !tuned || isLora(key));
    const found = grad(
      loss,
      parameters.map(([, tensor]) => tensor),
    );
    parameters.forEach(([key], i) => {
      const full = prefix + name(key);
      if (this.reference.has(full)) this.outputs[full] = found[i];
      else if (found[i].attrs.value !== 0) throw new Error(`${full} has a gradient here, and none in the reference`);
    });
    return sqrt(found.map((each) => sum(square(each))).reduce((a, b) => add(a, b)));
  }
  /** Adds an output under `name` and its float64 twin, where the case has them. */
  output(value: Tensor | (() => Tensor) | undefined, name: string): void {
    for (const each of [name, `f64.${name}`].filter((full) => this.reference.has(full))) {
      if (!value) throw new Error(`nothing was computed for ${each}`);
      this.outputs[each] = typeof value === "function" ? value() : value;
    }
  }
  /** Computes and compares everything. Throws when the case has a gradient that nothing was asked for. */
  async check({ backend, check }: Job): Promise<void> {
    const missing = this.reference.names("grad.").filter((name) => !(name in this.outputs));
    if (missing.length > 0) throw new Error(`nothing has gradient ${missing.join(", ")}`);
    const values = await evaluateOn(backend, this.outputs, this.feed);
    for (const [name, numbers] of Object.entries(values)) check(numbers, name);
  }
}
