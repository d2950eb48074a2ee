import { grad } from "../../../core/graph/mod.ts";
import { add, concat, mul, stack, sum } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { clipText } from "../../../plugins/encoders/shared/clipText.ts";
import { promptStates } from "../../../plugins/encoders/shared/promptEncoder.ts";
import { clipVision } from "../../../plugins/extractors/shared/clipVision.ts";
import { evaluateOn, Feed, type Weights } from "../feed.ts";
import type { GoldenCase } from "../goldenCase.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { only, type Settings } from "../settings.ts";

/** Runs `clip_text_*`: a text tower, forward and the gradient of everything its case has one for. */
export const clipTextKind: Kind = {
  name: "clip-text",
  matches: ({ file }) => file.startsWith("clip_text_"),
  run: runText,
};

async function runText({ reference, backend, check }: Job): Promise<void> {
  const feed = new Feed();
  const weights = weightsOf(feed, reference, "w.");
  const { states, last, pooled, embeds } = clipText(weights.scope, idsOf(feed, reference), textOptions(reference));
  const outputs: Record<string, Tensor> = { "out.last_hidden_state": last };
  if (reference.has("out.hidden_states")) outputs["out.hidden_states"] = stack(states, 0);
  if (reference.has("out.pooler_output")) outputs["out.pooler_output"] = pooled;
  if (embeds) outputs["out.text_embeds"] = embeds;
  // The loss of a case is the sum of its outputs, each times the gradient that comes from above.
  const terms = ["gout", "gout.last_hidden_state", "gout.text_embeds", "gout.pooler_output"]
    .filter((name) => reference.has(name))
    .map((name) => {
      const out = outputs[`out.${name === "gout" ? "last_hidden_state" : name.slice(5)}`];
      return sum(mul(out, feed.tensor(name, reference.shape(name), reference.f32(name))));
    });
  const wanted = reference.names("grad.w.").map((name) => name.slice("grad.w.".length));
  if (terms.length > 0 && wanted.length > 0) {
    const tensors = wanted.map((name) => {
      const tensor = weights.tensors.get(name);
      if (!tensor) throw new Unsupported(`no gradient of ${name}`);
      return tensor;
    });
    for (const [i, gradient] of grad(terms.reduce(add), tensors).entries()) outputs[`grad.w.${wanted[i]}`] = gradient;
  }
  const results = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(results)) check(values, name);
}

/** Runs `sdxl_text_encoder`: two towers side by side, as SDXL is conditioned on them. */
export const sdxlTextKind: Kind = {
  name: "sdxl-text",
  matches: ({ file }) => file.startsWith("sdxl_text_encoder"),
  run: runSdxlText,
};

async function runSdxlText({ reference, set, backend, check }: Job): Promise<void> {
  const { config } = reference;
  const feed = new Feed();
  const [one, two] = (["one", "two"] as const).map((which) => {
    const stored = set.case(config[`weights_${which}`].replace(/\.safetensors$/, ""));
    const weights = weightsOf(feed, stored, `${which}.`);
    return promptStates(weights.scope, idsOf(feed, reference, `in.ids_${which}`), textOptions(stored), {
      state: "penultimate",
      pooled: which === "two",
    });
  });
  const outputs = { "out.prompt_embeds": concat([one.text, two.text], 2), "out.pooled_prompt_embeds": two.pooled };
  const results = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(results)) check(values, name);
}

/** Runs `clip_vision`: an image tower. */
export const clipVisionKind: Kind = {
  name: "clip-vision",
  matches: ({ file }) => file.startsWith("clip_vision"),
  run: runVision,
};

async function runVision({ reference, backend, check }: Job): Promise<void> {
  const { config } = reference;
  const feed = new Feed();
  const { scope } = weightsOf(feed, reference, "w.");
  const x = feed.tensor("x", reference.shape("in.pixel_values"), reference.f32("in.pixel_values"));
  const { states, embeds } = clipVision(scope, x, {
    ...sizesOf(config),
    size: config.image_size,
    patch: config.patch_size,
    projected: config.projection_dim,
  });
  const outputs: Record<string, Tensor> = { "out.image_embeds": embeds };
  if (reference.has("out.hidden_states")) outputs["out.hidden_states"] = stack(states, 0);
  if (reference.has("out.last_hidden_state")) outputs["out.last_hidden_state"] = states[states.length - 1];
  const results = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(results)) check(values, name);
}

const sizesOf = (config: Settings) => ({
  width: config.hidden_size as number,
  layers: config.num_hidden_layers as number,
  heads: config.num_attention_heads as number,
  inner: config.intermediate_size as number,
  activation: only(config, "hidden_act", "quick_gelu", "gelu")! as "quick_gelu" | "gelu",
});

/** A tower without a projection may still name its width. */
function textOptions(reference: GoldenCase) {
  const { config } = reference;
  const { projection_dim: projected } = config;
  return {
    ...sizesOf(config),
    vocabulary: config.vocab_size as number,
    positions: config.max_position_embeddings as number,
    projected: reference.has("w.text_projection.weight") ? (projected as number) : undefined,
  };
}

const weightsOf = (feed: Feed, reference: GoldenCase, prefix: string): Weights =>
  feed.weights(prefix, (name) => reference.f32(`w.${name}`));

const idsOf = (feed: Feed, reference: GoldenCase, name = "in.input_ids"): Tensor =>
  feed.tensor(name, reference.shape(name), reference.i32(name), "i32");
