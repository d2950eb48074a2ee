// What a page that samples has to load: the bare engine with the plugins of a DMD2 generator of pictures, and one device.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("engine (bundle)");

/** A program that loads weights and draws. */
const sampler = (entry: string) => `
  import { createEngine } from "${entry}";
  import { adm, discriminatorCritic, dmd2Method, edm, fakeScore, fewStep, heun } from "onestep/plugins";
  const plugins = [adm, discriminatorCritic, dmd2Method, edm, fakeScore, fewStep, heun];
  const engine = await createEngine({ plugins });
  const model = await engine.load(await (await fetch("generator.safetensors")).arrayBuffer());
  console.log((await model.sample({ count: 4, label: "3" })).x);
`;

/** Leaves out the text of kernels, which is data: nobody can write less of it. */
const withoutKernels: Plugin = {
  name: "without-kernels",
  setup(context) {
    context.onLoad({ filter: /[\\/](wgsl[\\/]generated|kernels(64)?\.generated)\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8").replace(/"(\\.|[^"\\])*"/gs, '""'),
    }));
  },
};

/** The scripts of a bundle in parts: how large each is, packed, and what it is made of. */
async function bundled(source: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: ".", loader: "ts" },
    bundle: true,
    write: false,
    outdir: "out",
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    splitting: true,
    metafile: true,
    plugins: [withoutKernels],
    logLevel: "warning",
  });
  const outputs = Object.values(metafile.outputs);
  const sizes = Object.keys(metafile.outputs).map((path) => {
    const file = outputFiles.find((each) => each.path.replaceAll("\\", "/").endsWith(path))!;
    return gzipSync(file.contents, { level: 9 }).length;
  });
  const places = new Map(Object.keys(metafile.outputs).map((path, i) => [path, i]));
  /** Everything that is loaded with some entries of the bundle. */
  const loadedWith = (...entries: string[]) => {
    const found = new Set<number>();
    const add = (i: number) => {
      if (found.has(i)) return;
      found.add(i);
      for (const { path, kind } of outputs[i].imports) if (kind === "import-statement") add(places.get(path)!);
    };
    for (const entry of entries) {
      const i = outputs.findIndex(({ entryPoint }) => entryPoint?.endsWith(entry));
      assert.ok(i >= 0, entry);
      add(i);
    }
    const parts = [...found];
    return {
      bytes: parts.reduce((sum, i) => sum + sizes[i], 0),
      inputs: parts.flatMap((i) =>
        Object.entries(outputs[i].inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
      ),
    };
  };
  const externals = outputs.flatMap(({ imports }) => imports.filter(({ external }) => external));
  return { loadedWith, externals };
}

const app = "<stdin>";
const wasm = "backends/wasm/mod.ts";
const webgpu = ["backends/webgpu/mod.ts", "backends/webgpu/adapter/navigator.ts"];

test("a page that samples loads at most 150 kB, packed, without the text of kernels, on either device or both", async () => {
  const { loadedWith } = await bundled(sampler("onestep/engine/bare"));
  const sizes = [[wasm], webgpu, [wasm, ...webgpu]].map((devices) => loadedWith(app, ...devices).bytes);
  for (const bytes of sizes) assert.ok(bytes <= 150_000, `${sizes.join(", ")} bytes`);
});

test("it holds the plugins that are named and no others, no training, no readers of data, and nothing of Node", async () => {
  const { loadedWith, externals } = await bundled(sampler("onestep/engine/bare"));
  const { inputs } = loadedWith(app, wasm, ...webgpu);
  const strange = inputs.filter((path) =>
    /^plugins\/(losses|metrics|datasets|extractors|pipelines|monitors|observers)\/|^core\/train\/(loop\/(?!breathe)|run\/run)|^core\/io\/pictures|^engine\/(training|evaluate)|node_modules\/(rxjs|linkedom|@observablehq)\//.test(
      path,
    ),
  );
  assert.equal(strange, []);
  assert.ok(inputs.includes("plugins/networks/adm.ts"), "the reader of bundles works");
  // Dawn is asked for by its name, in Node alone.
  assert.equal(externals, []);
});

test.run();
