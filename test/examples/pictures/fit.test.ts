// The preset for a user's own pictures: what it makes of a folder, and that it runs on what it makes.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { TEACHER } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { mergeConfig, Run, resolveConfig } from "../../../core/train/mod.ts";
import { fitArchived, fitNetwork, fitPictures } from "../../../examples/pictures/fit.ts";
import { preset } from "../../../examples/pictures/preset.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { dataFolder } from "../../helpers/datasets.ts";
import { type MemoryFiles, memoryFiles } from "../../helpers/memoryFiles.ts";
import { thrown } from "../../helpers/thrown.ts";
import { zipFile } from "../../helpers/zipFile.ts";
import { compose } from "../../plugins/support.ts";

const test = suite("examples/pictures/fit");
const registry = new Registry().register(allPlugins);

/** A folder of pictures of some size, so many in each subfolder. */
function pictures(height: number, width: number, channels: 1 | 3, folders: readonly string[], each: number) {
  const content: Record<string, Uint8Array> = {};
  for (const [place, name] of folders.entries())
    for (let i = 0; i < each; i++) {
      const data = Uint8Array.from({ length: height * width * channels }, (_, at) => (at * (place + 3) + 11 * i) & 255);
      content[`${name}${i}.png`] = encodePng({ width, height, channels, data });
    }
  return dataFolder(content);
}
const fit = (folder: ReturnType<typeof dataFolder>, crop: readonly number[] = []) =>
  fitPictures(folder.files!, folder.path!, { crop });

test("resolutions halve down to about 8 pixels, with attention at the lowest", () => {
  const found = (height: number, width: number) => {
    const { channelMult, attention } = fitNetwork(height, width, "data");
    return [channelMult.length, ...attention];
  };
  assert.equal(found(16, 16), [2, 8]);
  assert.equal(found(28, 28), [3, 7]);
  assert.equal(found(32, 32), [3, 8]);
  assert.equal(found(48, 40), [4, 6]);
  assert.equal(found(64, 64), [4, 8]);
  assert.equal(found(8, 8), [1, 8]);
  assert.equal(found(9, 7), [1, 9]);
  assert.equal(found(100, 100), [3, 25]);
  const { code, message, fix } = thrown(() => fitNetwork(37, 45, "data"));
  assert.is(code, "E_DATA");
  assert.match(message, /of data: they are 45 x 37, .* should be sides that are multiples of 4$/);
  assert.match(fix, /dataset\.size=\[36,44\], or take the middle of each .*dataset\.crop=\[36,44\] \(height, width\)/);
  assert.equal(found(36, 44), [3, 9]);
});

test("metrics are those that fit: classes, one class, too few to hold out", async () => {
  const metricsOf = async (...given: Parameters<typeof pictures>) => (await fit(pictures(...given))).metrics;
  assert.equal(await metricsOf(8, 8, 1, ["a/", "b/"], 10), {
    "classifier-frechet": { epochs: 100 },
    "patch-distance": {},
  });
  assert.equal(await metricsOf(8, 8, 1, ["a/"], 20), { "patch-distance": {} });
  assert.equal(await metricsOf(8, 8, 1, [""], 20), { "patch-distance": {} });
  assert.equal(await metricsOf(8, 8, 1, ["a/", "b/"], 9), {});
});

test("pictures in an archive fit it as those of a folder do", async () => {
  const folder = pictures(8, 12, 1, [""], 20);
  const { contents } = folder.files as MemoryFiles;
  const entries = Object.fromEntries([...contents].map(([path, bytes]) => [path.slice("data/".length), bytes]));
  const labels = Object.keys(entries).map((name, i) => [name, i % 2]);
  const archive = zipFile({ ...entries, "dataset.json": new TextEncoder().encode(JSON.stringify({ labels })) });
  const files = memoryFiles({ "data/a.zip": archive });
  const { network, dataset, metrics } = await fitArchived(files, "data", "edm-zip", { crop: [] });
  assert.equal(network, (await fit(folder)).network);
  assert.equal(dataset, { use: "edm-zip", holdOut: 0.1 });
  assert.equal(Object.keys(metrics!), ["classifier-frechet", "patch-distance"]);
});

const sizes: [string, Parameters<typeof pictures>, channels: number][] = [
  ["oblong RGB pictures in classes", [12, 20, 3, ["10/", "9/"], 10], 3],
  ["grey pictures without classes", [14, 14, 1, [""], 20], 1],
];
for (const [name, given, channels] of sizes)
  test(`${name}: the whole run fits, and ends with a number`, async () => {
    const folder = pictures(...given);
    const small = {
      network: { channels: 8, channelsPerHead: 8 },
      sampler: { steps: 2 },
      method: { teacher: { steps: 1, batch: 2 } },
      train: { steps: 1, batch: 2, evaluateCount: 2 },
    };
    const fitted = mergeConfig(mergeConfig(preset, await fit(folder)), small);
    const few = { metrics: { "classifier-frechet": { epochs: 8 } } };
    const config = fitted.metrics?.["classifier-frechet"] ? mergeConfig(fitted, few) : fitted;
    const backend = await WasmBackend.open();
    const run = await Run.create({ resolved: resolveConfig(config, registry), backend, data: folder });
    const { judgements } = await run.start();
    assert.is(run.dataset.shape.sample[0], channels);
    const numbers = judgements.map(({ who, metrics }) => [who, Number.isFinite(metrics.patches)]);
    assert.equal(
      numbers,
      ["data", "teacher", "generator"].map((who) => [who, true]),
    );
    await run.dispose();
    await backend.close();
  });

test("digits and colour pictures of the usual sizes are served as they come", async () => {
  for (const [given, parameters] of [
    [[28, 28, 1, [""], 20], 1_369_953],
    [[32, 32, 3, [""], 20], 1_371_107],
  ] as [Parameters<typeof pictures>, number][]) {
    const resolved = resolveConfig(mergeConfig(preset, await fit(pictures(...given))), registry);
    const shape = {
      sample: [given[2], given[0], given[1]],
      condition: {},
      sigmaData: 0.5,
    };
    const plugins = resolved.plugins.filter(({ kind }) => kind !== "dataset");
    const teacher = compose(shape, ...plugins).get(TEACHER);
    assert.is(layoutOf((scope) => teacher.declare(scope)).count, parameters);
  }
});

test.run();
