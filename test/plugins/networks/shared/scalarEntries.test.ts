import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { placeholders } from "../../../../core/diffusion/mod.ts";
import { grad } from "../../../../core/graph/mod.ts";
import { type Condition, type ConditionEntry, type DataShape, NETWORK } from "../../../../core/interfaces/mod.ts";
import { initialise, layoutOf, type Scope, unpackArenas } from "../../../../core/nn/mod.ts";
import { square, sum } from "../../../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../../../core/plugin/mod.ts";
import { testNetwork } from "../../../../core/testing/mod.ts";
import * as plugins from "../../../../plugins/mod.ts";
import { compose, evaluate, Feed, numbers } from "../../support.ts";

const test = suite("plugins/networks/shared/scalarEntries");

const number: ConditionEntry = { shape: [], dtype: "f32", empty: "same" };
const points: DataShape = { sample: [3], condition: {}, sigmaData: 0.5 };
const image: DataShape = { ...points, sample: [1, 4, 4] };
const unet = {
  channels: [8, 8],
  layersPerBlock: [1],
  downBlocks: ["DownBlock2D", "CrossAttnDownBlock2D"],
  upBlocks: ["CrossAttnUpBlock2D", "UpBlock2D"],
  heads: [1],
  groups: 4,
} as const;
const convolutions = { channels: 8, channelMult: [1, 2], blocks: 1, attention: [2] };
const networks: readonly (readonly [ConfiguredPlugin, DataShape, string])[] = [
  [plugins.mlp({ width: 8, depth: 2, bands: 3 }), points, ""],
  [plugins.adm({ ...convolutions, channelsPerHead: 8 }), image, "model."],
  [plugins.song(convolutions), image, "model."],
  [plugins.dit({ width: 8, heads: 2, depth: 2 }), image, ""],
  [plugins.unet2d(unet), { ...image, condition: { text: { shape: [3, 6], dtype: "f32", empty: "zero" } } }, ""],
];

for (const [plugin, shape, prefix] of networks) {
  const network = compose(shape, plugin).get(NETWORK);
  const told = { ...shape, condition: { ...shape.condition, guidance: number, end: number } };
  const declare = (data: DataShape) => (scope: Scope) => {
    const { x, sigma, condition } = placeholders(data);
    network.apply(scope, x, sigma, condition);
  };

  /** The layers that start at zero; all others have numbers, so that something follows from them. */
  const last = ["guidance.2", "end.2"].flatMap((name) => ["weight", "bias"].map((part) => `${prefix}${name}.${part}`));

  test(`${plugin.name}: has parameters for a guidance and an end where it is told them, and no others`, () => {
    const names = (data: DataShape) => layoutOf(declare(data)).entries.map(({ name }) => name);
    const own = names(shape);
    const added = names(told).filter((name) => !own.includes(name));
    const layers = ["guidance.0", "guidance.2", "end.0", "end.2"].map((name) => prefix + name);
    assert.equal(
      added,
      layers.flatMap((name) => [`${name}.weight`, `${name}.bias`]),
    );
    assert.is(names(told).length, own.length + added.length);
  });

  test(`${plugin.name}: fresh layers leave every bit of a network as it is, and can learn`, async () => {
    const feed = new Feed();
    const layout = layoutOf(declare(told));
    const starts = unpackArenas(layout, initialise(layout, 0));
    const { tensors, scope } = feed.weights("w.", (name, own) =>
      last.includes(name) ? starts[name].data : numbers(own),
    );
    const level = feed.tensor("level", [2], [0.3, 0.7]);
    const x = feed.tensor("x", [2, ...shape.sample], numbers([2, ...shape.sample]));
    const entries: Condition = shape.condition.text ? { text: feed.tensor("text", [2, 3, 6], numbers([36])) } : {};
    const guidance = feed.tensor("guidance", [2], [1.5, 7]);
    const end = feed.tensor("end", [2], [0.1, -0.6]);
    const bare = network.features(scope, x, level, entries);
    const heard = network.features(scope, x, level, { ...entries, guidance, end });
    const [ofGuidance, , ofEnd] = grad(
      sum(square(heard)),
      last.map((name) => tensors.get(name)!),
    );
    const result = await evaluate({ bare, heard, ofGuidance, ofEnd }, feed);
    assert.equal(result.heard, result.bare);
    for (const gradient of [result.ofGuidance, result.ofEnd]) assert.ok(gradient.some((each) => Math.abs(each) > 1e-6));
  });
}

for (const [plugin, shape] of [networks[0], networks[3]])
  test(`${plugin.name}: keeps the promises of a network with both`, () =>
    testNetwork(plugin, {
      shape: { ...shape, condition: { guidance: number, end: number } },
      backends: [new ReferenceBackend("f64")],
    }));

test.run();
