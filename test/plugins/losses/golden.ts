/** The EDM recipe of the official DMD2 code: its networks, weights and draws, in our terms. */
import {
  type Condition,
  CRITIC,
  GENERATOR,
  type Images,
  type LossContext,
  TEACHER,
} from "../../../core/interfaces/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { fakeScore } from "../../../plugins/critics/fakeScore.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { type GoldenCase, golden } from "../../helpers/golden.ts";
import { compose, Feed, GivenNoise, labelsOf } from "../support.ts";

/** A golden case with the three networks and its tensors as inputs of a program. */
export class Dmd2Case {
  readonly reference: GoldenCase;
  readonly feed: Feed = new Feed();
  readonly container;
  readonly weights;
  readonly teacher;
  readonly critic;
  readonly generator;

  constructor(name: string) {
    this.reference = golden(name);
    const { config } = this.reference;
    const { network } = config;
    const stored = golden("dmd_weights");
    this.container = compose(
      { sample: [3, 16, 16], classes: config.label_dim, sigmaData: config.sigma_data },
      adm({
        channels: network.model_channels,
        channelMult: network.channel_mult,
        channelMultEmb: network.channel_mult_emb,
        blocks: network.num_blocks,
        attention: network.attn_resolutions,
        channelsPerHead: network.channels_per_head,
      }),
      edm(),
      fewStep({ sigmas: [80] }),
      fakeScore({ headGroups: config.cls_groups }),
    );
    const { feed } = this;
    this.weights = {
      teacher: feed.weights("real.", (parameter) => stored.f32(`w.real.${parameter}`)),
      generator: feed.weights("generator.", (parameter) => stored.f32(`w.generator.${parameter}`)),
      critic: feed.weights("critic.", (parameter) =>
        stored.f32(`w.${parameter.replace("fake_unet.", "fake.")}`),
      ),
    };
    this.teacher = this.container.get(TEACHER).bind(this.weights.teacher.scope);
    this.generator = this.container.get(GENERATOR).bind(this.weights.generator.scope);
    this.critic = this.container.get(CRITIC).bind(this.weights.critic.scope);
  }

  tensor(name: string): Tensor {
    return this.feed.tensor(name, this.reference.shape(name), this.reference.f32(name));
  }
  condition(name: string): Condition {
    const { reference, feed } = this;
    return feed.label(name, labelsOf(reference.f32(name), reference.config.label_dim));
  }
  images(x: string, labels: string): Images {
    return { x: this.tensor(x), condition: this.condition(labels) };
  }
  /** Draws in the order given: noises and timesteps. */
  noise(normals: string[], timesteps: string[]): GivenNoise {
    return new GivenNoise(
      normals.map((name) => this.tensor(name)),
      timesteps.map((name) => {
        const indices = this.reference.i32(name);
        return this.feed.tensor(name, [indices.length], indices, "i32");
      }),
    );
  }
  /** What a loss sees; what it must not ask for throws. */
  context(parts: Partial<LossContext>): LossContext {
    const { teacher, critic, generator } = this;
    return { teacher, critic, generator, ...parts } as LossContext;
  }
}
