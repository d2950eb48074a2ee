import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { type ConditionEntry, type ConditionShape, type DataShape, NETWORK } from "../../../core/interfaces/mod.ts";
import { layoutOf, type Scope } from "../../../core/nn/mod.ts";
import { unet2d } from "../../../plugins/networks/unet2d.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose } from "../support.ts";

const test = suite("plugins/networks/unet2d");

type Options = NonNullable<Parameters<typeof unet2d>[0]>;
const small: Options = {
  channels: [8, 16, 16],
  layersPerBlock: [1, 2, 1],
  downBlocks: ["DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  upBlocks: ["UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
  heads: [1, 2, 4],
  transformerLayers: [1, 2, 1],
  groups: 4,
};
const sdxl: Options = {
  channels: [320, 640, 1280],
  downBlocks: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
  upBlocks: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
  heads: [5, 10, 20],
  transformerLayers: [1, 2, 10],
  linearProjection: true,
  timeIdWidth: 256,
};
const entry = (...shape: number[]): ConditionEntry => ({ shape, dtype: "f32" });
const shapeOf = (sample: number[], condition: ConditionShape = { text: entry(5, 6) }): DataShape => ({
  sample,
  condition,
  sigmaData: 1,
});

function network(shape: DataShape, options: Options) {
  const net = compose(shape, unet2d(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return {
    apply: (scope: Scope) => net.apply(scope, x, sigma, condition),
    features: (scope: Scope) => net.features(scope, x, sigma, condition),
    bare: (scope: Scope) => net.apply(scope, x, sigma, {}),
  };
}
const layout = (shape: DataShape, options: Options) => layoutOf((scope) => void network(shape, options).apply(scope));

test("the defaults are SD 1.5: 859,520,964 parameters in 686 tensors", () => {
  const { count, entries } = layout(shapeOf([4, 64, 64], { text: entry(77, 768) }), {});
  assert.equal([count, entries.length], [859_520_964, 686]);
  const shapes = Object.fromEntries(entries.map(({ name, shape }) => [name, shape]));
  const block = "up_blocks.1.attentions.2.transformer_blocks.0";
  assert.equal(shapes[`${block}.attn2.to_k.weight`], [1280, 768]);
  assert.equal(shapes[`${block}.ff.net.0.proj.weight`], [10240, 1280]);
  assert.equal(shapes["up_blocks.3.resnets.0.conv1.weight"], [320, 960, 3, 3]);
  assert.not.ok("down_blocks.3.downsamplers.0.conv.weight" in shapes);
});

test("SDXL's settings are SDXL: 2,567,463,684 parameters in 1680 tensors", () => {
  const told = { text: entry(77, 2048), pooled: entry(1280), timeIds: entry(6) };
  const { count, entries } = layout(shapeOf([4, 128, 128], told), sdxl);
  assert.equal([count, entries.length], [2_567_463_684, 1680]);
  const shapes = Object.fromEntries(entries.map(({ name, shape }) => [name, shape]));
  assert.equal(shapes["add_embedding.linear_1.weight"], [1280, 2816]);
  assert.equal(shapes["mid_block.attentions.0.proj_in.weight"], [1280, 1280]);
  assert.ok("down_blocks.2.attentions.1.transformer_blocks.9.norm3.bias" in shapes);
});

test("any size: what is rounded up on the way down is cut on the way up", () => {
  for (const sample of [
    [3, 9, 14],
    [4, 8, 8],
    [4, 5, 7],
  ])
    layoutOf((scope) => assert.equal(network(shapeOf(sample), small).apply(scope).shape, [1, ...sample]));
});

test("features are the middle's output, and ask for nothing of the way up", () => {
  const { entries } = layoutOf((scope) =>
    assert.equal(network(shapeOf([4, 8, 8]), small).features(scope).shape, [1, 16, 2, 2]),
  );
  assert.ok(entries.some(({ name }) => name === "mid_block.resnets.1.conv2.weight"));
  assert.not.ok(entries.some(({ name }) => /^(up_blocks|conv_norm_out|conv_out)/.test(name)));
});

test("a level has the transformers, heads and blocks of its place in the lists", () => {
  const names = layout(shapeOf([4, 8, 8]), small).entries.map(({ name }) => name);
  const has = (prefix: string) => names.some((name) => name.startsWith(prefix));
  assert.ok(has("down_blocks.1.attentions.1.transformer_blocks.1."));
  assert.not.ok(has("down_blocks.1.attentions.1.transformer_blocks.2."));
  assert.not.ok(has("down_blocks.0.attentions"));
  assert.ok(has("up_blocks.1.resnets.2.") && !has("up_blocks.1.resnets.3."));
  assert.ok(has("up_blocks.0.resnets.1.") && !has("up_blocks.0.resnets.2."));
});

test("refuses lists of different lengths", () => {
  const error = thrown(() => layout(shapeOf([4, 8, 8]), { ...small, heads: [1, 2] }));
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /^Cannot configure unet2d: heads has 2 entries and channels 3/);
});

test("says what a condition lacks", () => {
  const bare = (options: Options) =>
    thrown(() => layoutOf((scope) => void network(shapeOf([4, 8, 8]), options).bare(scope)));
  assert.match(bare(small).message, /the condition has no text, it should be \[B, L, D\]/);
  assert.match(bare({ ...small, timeIdWidth: 4 }).message, /has no pooled, it should be \[B, P\]/);
});

for (const name of goldenNames("unet_"))
  test(`${name}: agrees with diffusers`, async () => {
    await conforms(name, new ReferenceBackend());
  });

test.run();
