/** A case of DMD2's EDM recipe as one program. */
import { edmFeatures } from "../../core/diffusion/mod.ts";
import { grad } from "../../core/graph/mod.ts";
import {
  type Condition,
  CRITIC,
  GENERATOR,
  type Images,
  LOSSES,
  type Loss,
  type LossContext,
  NETWORK,
  TEACHER,
} from "../../core/interfaces/mod.ts";
import { add, sqrt, square, sum } from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { criticName, dataShapeOf, lossesOf, rolesOf } from "./dmdRecipe.ts";
import { compose, evaluateOn, Feed, GivenNoise, labelsOf } from "./feed.ts";
import type { GoldenCase } from "./goldenCase.ts";
import type { Job } from "./kind.ts";

/** What the roles were asked and answered while a loss was traced. */
export interface Seen {
  noisy?: Tensor;
  real?: Tensor;
  fake?: Tensor;
  logits?: Tensor;
  judged?: { readonly x: Tensor; readonly sigma: Tensor; readonly condition: Condition };
}

/** A case with the three networks over the weights it names, and its tensors as inputs of one program. */
export class Scene {
  readonly reference: GoldenCase;
  readonly feed = new Feed();
  readonly #container;
  readonly weights;
  readonly seen: Seen = {};
  readonly outputs: Record<string, Tensor> = {};

  constructor({ reference, set }: Job) {
    this.reference = reference;
    const { config } = reference;
    const stored = set.case(config.weights_file.replace(/\.safetensors$/, ""));
    this.#container = compose(
      dataShapeOf(config),
      ...rolesOf(config),
      ...lossesOf({ gen_cls_loss_weight: 1, cls_loss_weight: 1, ...config }),
    );
    const from = (prefix: string) => (name: string) => stored.f32(`w.${prefix}${name}`);
    this.weights = {
      teacher: this.feed.weights("real.", from("real.")),
      generator: this.feed.weights("generator.", from("generator.")),
      critic: this.feed.weights("critic.", (name) => stored.f32(`w.${criticName(name)}`)),
    };
  }
  tensor(name: string): Tensor {
    return this.feed.tensor(name, this.reference.shape(name), this.reference.f32(name));
  }
  images(x: string, labels: string): Images {
    const { reference, feed } = this;
    const classes = reference.config.label_dim;
    const condition = classes ? feed.label(labels, labelsOf(reference.f32(labels), classes)) : {};
    return { x: this.tensor(x), condition };
  }
  /** Draws in the order given: each a noise and its timesteps, where the case has them. */
  draws(...pairs: (readonly [noise: string, timesteps: string])[]): GivenNoise {
    const { reference, feed } = this;
    const there = pairs.filter(([noise]) => reference.has(noise));
    return new GivenNoise(
      there.map(([noise]) => this.tensor(noise)),
      there.map(([, name]) => {
        const indices = reference.i32(name);
        return feed.tensor(name, [indices.length], indices, "i32");
      }),
    );
  }
  loss(name: string): Loss {
    return this.#container.all(LOSSES).find((each) => each.name === name)!;
  }
  generate(x: Tensor, sigma: Tensor, condition: Condition): Tensor {
    const generator = this.#container.get(GENERATOR).bind(this.weights.generator.scope);
    return generator.denoise(x, sigma, condition);
  }
  /** The roles, watched. */
  context(given: Pick<LossContext, "generated" | "noise"> & Partial<LossContext>): LossContext {
    const { seen, weights } = this;
    const teacher = this.#container.get(TEACHER).bind(weights.teacher.scope);
    const critic = this.#container.get(CRITIC).bind(weights.critic.scope);
    return {
      ...given,
      teacher: {
        denoise(x, sigma, condition) {
          seen.noisy = x;
          seen.real = teacher.denoise(x, sigma, condition);
          return seen.real;
        },
      },
      critic: {
        denoise(x, sigma, condition) {
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
  /** Encoder features of what the discriminator has seen. */
  features(): Tensor {
    const network = this.#container.get(NETWORK);
    const body = this.weights.critic.scope.at("fake_unet");
    const { x, sigma, condition } = this.seen.judged!;
    const { sigma_data } = this.reference.config;
    const apply: typeof network.features = (...given) => network.features(...given);
    return edmFeatures((...inputs) => apply(body, ...inputs), sigma_data, x, sigma, condition);
  }
  /** Asks for the gradient of every parameter that has one, under the reference's names; returns its norm. */
  gradients(
    loss: Tensor,
    role: "critic" | "generator",
    prefix: string,
    name: (parameter: string) => string = criticName,
  ): Tensor {
    const { tensors } = this.weights[role];
    const found = grad(loss, [...tensors.values()]);
    const expected = new Set(this.reference.names(prefix));
    [...tensors.keys()].forEach((parameter, i) => {
      const full = `${prefix}${name(parameter)}`;
      // The reference lists no gradient where there is none, as in the decoder for a discriminator loss.
      const absent = !expected.delete(full) && found[i].attrs.value === 0;
      if (!absent) this.outputs[full] = found[i];
    });
    if (expected.size > 0) throw new Error(`no parameter has gradient ${[...expected].join(", ")}`);
    return sqrt(found.map((each) => sum(square(each))).reduce((a, b) => add(a, b)));
  }
  /** Adds an output under each of the names that the case has. */
  output(value: Tensor | undefined, ...names: string[]): void {
    for (const name of names)
      if (this.reference.has(name)) {
        if (!value) throw new Error(`nothing was computed for ${name}`);
        this.outputs[name] = value;
      }
  }
  async check({ backend, check }: Job): Promise<void> {
    const values = await evaluateOn(backend, this.outputs, this.feed);
    for (const name of Object.keys(values)) check(values[name], name);
  }
}
