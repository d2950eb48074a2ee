import { grad } from "../../core/graph/mod.ts";
import {
  type Condition,
  CRITIC,
  type CriticNetwork,
  GENERATOR,
  type GeneratorNetwork,
  type Images,
  LOSSES,
  type Loss,
  type LossContext,
  NETWORK,
  type NoiseProcess,
  PROCESS,
  TEACHER,
} from "../../core/interfaces/mod.ts";
import { isLora } from "../../core/nn/mod.ts";
import { add, sqrt, square, sum } from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { compose, evaluateOn, Feed, GivenNoise, type Weights } from "./feed.ts";
import type { GoldenCase } from "./goldenCase.ts";
import type { Job } from "./kind.ts";
import { latentPlugins, latentShapeOf } from "./latentRecipe.ts";

/** A case of the latent recipes: its roles over the weights that it names, its inputs and draws, what it computes. */
export class LatentScene {
  readonly reference: GoldenCase;
  readonly feed = new Feed();
  readonly outputs: Record<string, Tensor> = {};
  readonly process: NoiseProcess;
  /** What the discriminator was asked last. */
  judged?: Parameters<CriticNetwork["discriminate"]> & { logits?: Tensor };
  readonly #container;
  readonly #weights: Readonly<Record<"teacher" | "critic" | "generator", Weights>>;
  readonly #tensors = new Map<string, Tensor>();

  /** @param latents name of a tensor that has the latents' shape */
  constructor({ reference, set }: Job, latents: string) {
    this.reference = reference;
    const { config } = reference;
    const file = (name: string) => set.case(name.replace(/\.safetensors$/, ""));
    const adapters = config.lora_file && file(config.lora_file);
    const shape = latentShapeOf(config, reference.shape(latents).slice(1));
    this.#container = compose(shape, ...latentPlugins(config, adapters?.config));
    this.process = this.#container.get(PROCESS);
    const stored = file(config.weights_file);
    const own = config.generator_weights_file && file(config.generator_weights_file);
    this.#weights = {
      teacher: this.feed.weights("teacher.", (name) => stored.f32(`w.real.${name}`)),
      critic: this.feed.weights("critic.", (name) => stored.f32(`w.${criticName(name)}`)),
      generator: this.feed.weights("generator.", (name) => {
        if (own) return own.f32(`w.generator.${name}`);
        return isLora(name) ? adapters.f32(`w.${name}`) : stored.f32(`w.real.${name}`);
      }),
    };
  }

  /** An input of the case; the same tensor when asked for again. */
  tensor(name: string): Tensor {
    const known = this.#tensors.get(name);
    if (known) return known;
    const { reference } = this;
    const made = this.feed.tensor(name, reference.shape(name), reference.f32(name));
    this.#tensors.set(name, made);
    return made;
  }
  /** Latents with what they show; `which` is "fake_" or "real_" where a case has both. */
  images(x: Tensor, which = ""): Images {
    return { x, condition: this.condition(which) };
  }
  condition(which = ""): Condition {
    const found = (name: string) =>
      [`in.${which}${name}`, `in.${name}`].find((each) => this.reference.has(each));
    const part = (key: keyof Condition, name: string) => {
      const there = found(name);
      return there && { [key]: this.tensor(there) };
    };
    const unconditional = {
      ...part("text", "uncond_embedding"),
      ...part("pooled", "uncond_pooled_embedding"),
    };
    return {
      ...part("text", "text_embedding"),
      ...part("pooled", "pooled_text_embedding"),
      ...part("timeIds", "time_ids"),
      unconditional,
    };
  }
  /** Draws in the order given: each a noise and its timesteps, where the case has them. */
  draws(...names: string[]): GivenNoise {
    const { reference, feed } = this;
    const [normals, integers] = [[] as Tensor[], [] as Tensor[]];
    for (const name of names) {
      // Either `rand.noise` or `rand.gen.noise` or `rand.dm_noise`.
      const [noise, timesteps] = ["noise", "timesteps"].map((what) => `rand.${name}${what}`);
      if (reference.has(noise)) normals.push(this.tensor(noise));
      if (!reference.has(timesteps)) continue;
      const indices = reference.i32(timesteps);
      integers.push(feed.tensor(timesteps, [indices.length], indices, "i32"));
    }
    return new GivenNoise(normals, integers);
  }
  loss(name: string): Loss {
    return this.#container.all(LOSSES).find((each) => each.name === name)!;
  }
  get generator(): GeneratorNetwork {
    return this.#container.get(GENERATOR).bind(this.#weights.generator.scope);
  }
  get sigmas(): readonly number[] {
    return this.#container.get(GENERATOR).sigmas;
  }
  get teacher(): LossContext["teacher"] {
    return this.#container.get(TEACHER).bind(this.#weights.teacher.scope);
  }
  get critic(): CriticNetwork {
    return this.#container.get(CRITIC).bind(this.#weights.critic.scope);
  }
  /** Middle features of the last images that the discriminator saw. */
  features(): Tensor {
    const [x, sigma, condition] = this.judged!;
    const network = this.#container.get(NETWORK);
    const body = this.#weights.critic.scope.at("fake_unet");
    return this.process.features(
      (...given) => network.features(body, ...given),
      x,
      sigma,
      condition,
    );
  }
  context(given: Pick<LossContext, "generated" | "noise"> & Partial<LossContext>): LossContext {
    const { teacher, critic } = this;
    const discriminate: CriticNetwork["discriminate"] = (...asked) => {
      const logits = critic.discriminate(...asked);
      this.judged = Object.assign(asked, { logits });
      return logits;
    };
    return { teacher, critic: { ...critic, discriminate }, ...given } as LossContext;
  }

  /**
   * Asks for the gradient of every parameter that has one, named `prefix` + `name(parameter)`; returns their common norm.
   * A parameter without a gradient in the case must have none here.
   */
  gradients(
    loss: Tensor,
    role: "critic" | "generator",
    prefix: string,
    name: (parameter: string) => string,
  ): Tensor {
    const tuned = this.reference.config.lora_file !== undefined && role === "generator";
    const parameters = [...this.#weights[role].tensors].filter(([key]) => !tuned || isLora(key));
    const found = grad(
      loss,
      parameters.map(([, tensor]) => tensor),
    );
    const squares: Tensor[] = [];
    parameters.forEach(([key], i) => {
      const full = prefix + name(key);
      if (!this.reference.has(full)) {
        if (found[i].attrs.value === 0) return;
        throw new Error(`${full} has a gradient here, and none in the reference`);
      }
      this.outputs[full] = found[i];
      squares.push(sum(square(found[i])));
    });
    return sqrt(squares.reduce((a, b) => add(a, b)));
  }
  /** Adds an output under `name` and its float64 twin, where the case has them. */
  output(value: Tensor, name: string): void {
    for (const each of [name, `f64.${name}`])
      if (this.reference.has(each)) this.outputs[each] = value;
  }
  /** Computes and compares everything. Throws when the case has a gradient that nothing was asked for. */
  async check({ backend, check }: Job): Promise<void> {
    const missing = this.reference.names("grad.").filter((name) => !(name in this.outputs));
    if (missing.length > 0) throw new Error(`nothing has gradient ${missing.join(", ")}`);
    const values = await evaluateOn(backend, this.outputs, this.feed);
    for (const [name, numbers] of Object.entries(values)) check(numbers, name);
  }
}

/** The reference's name of a critic parameter in its weight files. */
export const criticName = (parameter: string): string => parameter.replace(/^fake_unet\./, "fake.");
