// Reads the imports of all sources and holds them to the layering of core/README.md. A new folder or package fails here until
// it has its line in a table: where it stands is a decision.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Import, importsOf, parseImports, sourcesBelow } from "./helpers/imports.ts";

const test = suite("architecture");

/** Inside core: whose values and types a folder may import, besides its own and core/errors.ts. */
const core: Record<string, readonly string[]> = {
  interfaces: [], // types of any folder, and core/di/token.ts, which imports nothing: see `allowedInCore`
  di: [],
  json: [],
  plugin: ["di", "json", "interfaces"],
  tensor: [],
  random: ["tensor"],
  linalg: [],
  pixels: [],
  ops: ["tensor", "random"],
  graph: ["tensor", "random", "ops", "interfaces"],
  nn: ["tensor", "random", "ops", "graph", "io", "interfaces"],
  diffusion: ["tensor", "random", "ops", "graph", "interfaces"],
  optim: ["tensor", "random", "ops", "graph", "interfaces"],
  io: ["json", "tensor", "interfaces", "pixels"],
  train: [
    "di",
    "json",
    "plugin",
    "interfaces",
    "tensor",
    "random",
    "linalg",
    "ops",
    "graph",
    "nn",
    "diffusion",
    "optim",
    "io",
  ],
  // What tests of plugins lean on: it may see everything, and nothing of the product sees it.
  testing: [
    "di",
    "plugin",
    "interfaces",
    "tensor",
    "random",
    "ops",
    "graph",
    "nn",
    "diffusion",
    "optim",
    "io",
    "train",
  ],
};

/** What a backend may import besides its own folder and core. The oracle never shares code with a kernel. */
const backends: Record<string, readonly string[]> = {
  webgpu: ["wgsl/", "backends/host/"],
  wasm: ["backends/host/"],
  mpi: [],
  reference: [],
  host: [],
};

/** The one door of each package: the only files of the product that import it. A package that can be replaced has one. */
const doors: Record<string, readonly string[]> = {
  tsyringe: ["core/di/container.ts"],
  "reflect-metadata": ["core/di/container.ts"],
  rxjs: ["bus", "control", "schedule"].map((name) => `core/train/loop/${name}.ts`),
  entities: ["plugins/encoders/shared/clipTokenizer.ts"],
  "fast-png": ["plugins/observers/drawing/png.ts"],
  // `chart.ts` has its types alone; the page of runs is bundled with a Plot of its own.
  "@observablehq/plot": [
    ...["chart", "chartText", "lossPlot", "rowPlot"].map((name) => `plugins/observers/drawing/${name}.ts`),
    "examples/cli/ui/page/plot.ts",
  ],
  linkedom: ["chartText", "lossPlot", "rowPlot"].map((name) => `plugins/observers/drawing/${name}.ts`),
};

/** Packages that build.mjs bundles into the page of runs, so that nobody has to install them. */
const bundled = ["htm", "preact"];
/** Where the page of runs is; nothing of it is in the program. */
const PAGE = "examples/cli/ui/page/";

/** The parts of the tests that are shipped: the commands `onestep conformance` and `onestep selftest`. */
const SHIPPED = ["test/conformance/command.ts", "test/selftest/command.ts"];

const product = ["core", "plugins", "backends", "wgsl", "examples"];

/** The one place that puts plugins and backends together, for programs and the command line. */
const ENGINE = "examples/engine/";
const imports = product.flatMap(sourcesBelow).flatMap(importsOf);
const internal = imports.filter(({ external }) => !external);
// Examples for users import the package by its own name.
const external = imports.filter(({ external, to }) => external && !to.startsWith("node:") && to !== "onestep");

const show = ({ from, to, typeOnly }: Import) => `${from} → ${to}${typeOnly ? " (types)" : ""}`;
const none = (wrong: Import[], rule: string) => assert.equal(wrong.map(show), [], rule);

/** The folder inside `top` that a file belongs to; undefined for files of `top` itself and of other folders. */
const folderIn = (top: string, file: string) => file.match(`^${top}/([^/]+)/`)?.[1];

function allowed(each: Import): boolean {
  if (each.to.startsWith("core/testing/")) return /^(core\/testing|examples)\//.test(each.from);
  const [from] = each.from.split("/");
  const [to] = each.to.split("/");
  if (each.from.startsWith(ENGINE)) return ["core", "plugins", "backends"].includes(to) || each.to.startsWith(ENGINE);
  if (from === "examples") return product.includes(to) || SHIPPED.includes(each.to);
  if (from === "plugins") return to === "core" || (to === "plugins" && allowedInPlugins(each));
  if (from === "backends") return to === "core" || allowedInBackends(each);
  if (from === "core") return to === "core" && allowedInCore(each);
  return from === to;
}

function allowedInCore({ from, to, typeOnly }: Import): boolean {
  const [source, target] = [folderIn("core", from), folderIn("core", to)];
  if (from === "core/errors.ts") return false;
  if (from === "core/mod.ts" || to === "core/errors.ts" || source === target) return true;
  if (!source || !target) return false;
  if (source === "interfaces" && (typeOnly || to === "core/di/token.ts")) return true;
  return core[source]?.includes(target) ?? false;
}

/** Plugins meet in the container, not in each other's files. Methods and pipelines put plugins together: that is what they are. */
function allowedInPlugins({ from, to }: Import): boolean {
  const [source, target] = [folderIn("plugins", from), folderIn("plugins", to)];
  return source === undefined || source === "methods" || source === "pipelines" || source === target;
}

function allowedInBackends({ from, to }: Import): boolean {
  const source = folderIn("backends", from);
  if (source === undefined) return to.startsWith("backends/");
  if (source === folderIn("backends", to)) return true;
  return backends[source]?.some((folder) => to.startsWith(folder)) ?? false;
}

test("examples → engine → plugins → core ← backends → wgsl, and the order inside core", () => {
  assert.ok(internal.length > 0);
  none(
    internal.filter((each) => !allowed(each)),
    "imports that the layering forbids",
  );
});

test("plugins import only what users can import", () => {
  const surface = readFileSync("core/mod.ts", "utf8");
  const exported = [...surface.matchAll(/^export (\*|\{[^}]*\}).* from "\.\/([^"]+)"/gm)];
  const named = new Map(exported.map(([, what, from]) => [`core/${from}`, what]));
  const wrong = internal.filter(({ from, to, names }) => {
    if (!from.startsWith("plugins/") || !to.startsWith("core/")) return false;
    const what = named.get(to);
    return !what || (what !== "*" && names.some((name) => !new RegExp(`\\b${name}\\b`).test(what)));
  });
  none(wrong, "imports that core/mod.ts does not export");
});

test("every folder of core and of backends has its place in the layering", () => {
  for (const [top, table] of Object.entries({ core, backends })) {
    const folders = sourcesBelow(top).map((file) => folderIn(top, file));
    const unknown = folders.filter((folder) => folder !== undefined && !(folder in table));
    assert.equal([...new Set(unknown)], [], `folders of ${top} without a line in its table`);
  }
});

test("core, plugins and the engine run anywhere: they import no node: module", () => {
  const wrong = imports.filter(({ from, to }) => /^(core|plugins|examples\/engine)\//.test(from) && /^node:/.test(to));
  none(wrong, "imports of node: modules");
  const builtin = imports.filter(({ to }) => /^(fs|path|url|os|crypto|process|buffer|stream|util)$/.test(to));
  none(builtin, "imports of built-in modules without node:");
});

test("each package is imported by its one door", () => {
  for (const name of new Set(external.map(({ to }) => to))) {
    const files = [...new Set(external.filter(({ to }) => to === name).map(({ from }) => from))];
    if (doors[name]) for (const file of files) assert.ok(doors[name].includes(file), `${name}: ${file}`);
    else assert.is(files.length, 1, `${name} has ${files.length} doors: ${files.join(", ")}`);
  }
});

test("each package that the product imports is a dependency", () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const declared = { ...dependencies, ...optionalDependencies };
  none(
    external.filter(
      ({ from, to, typeOnly }) => !typeOnly && !(to in declared) && !(bundled.includes(to) && from.startsWith(PAGE)),
    ),
    "imports of packages that package.json does not declare",
  );
});

test("relative imports name the file, with its extension", () => {
  none(
    internal.filter(({ to }) => !/\.(ts|json)$/.test(to)),
    "imports without .ts",
  );
});

test("core leaves roles to methods: few of its files spell one", () => {
  const spelling = sourcesBelow("core").filter((file) =>
    /"(teacher|generator|critic)"/.test(readFileSync(file, "utf8")),
  );
  assert.equal(spelling, [
    ...["critic", "generator", "teacher"].map((role) => `core/interfaces/${role}.ts`), // their tokens
    "core/train/run/checkTeacher.ts", // checks a trained teacher, for losses with samples of their own
    "core/train/update/turnContext.ts", // short names of LossContext
  ]);
});

test("no file is a drawer for odds and ends", () => {
  const files = [...product, "test"].flatMap(sourcesBelow);
  const drawers = files.filter((file) => /^(utils?|misc|common)\.ts$/.test(basename(file)));
  assert.equal(drawers, []);
});

test("every test file runs its tests", () => {
  // uvu skips a suite without a word when its run() is missing.
  const files = sourcesBelow("test").filter((file) => file.endsWith(".test.ts"));
  const silent = files.filter((file) => !/^test\.run\(\);\s*$/m.test(readFileSync(file, "utf8")));
  assert.equal(silent, []);
});

test("the reader of imports sees each sort of import, and none in comments", () => {
  const text = [
    'import "reflect-metadata"; // import "no-1"',
    'import { a, type B } from "../di/mod.ts";',
    'import type { C } from "./c.ts";',
    'import {\n  type D,\n  type E,\n} from "node:fs";',
    'export * from "@scope/name/deep";',
    'export { type F } from "./f.ts";',
    '/** @example\n * import { x } from "no-2";\n */',
    'const url = "https://no-3"; const g = await import("./g.ts");',
    'export const text = "no-4";',
    'const code = `\nimport z from "no-5";\n`;',
    'type H = typeof import("yaml");',
  ].join("\n");
  assert.equal(parseImports("core/plugin/x.ts", text).map(show), [
    "core/plugin/x.ts → reflect-metadata",
    "core/plugin/x.ts → core/di/mod.ts",
    "core/plugin/x.ts → core/plugin/c.ts (types)",
    "core/plugin/x.ts → node:fs (types)",
    "core/plugin/x.ts → @scope/name",
    "core/plugin/x.ts → core/plugin/f.ts (types)",
    "core/plugin/x.ts → core/plugin/g.ts",
    "core/plugin/x.ts → yaml (types)",
  ]);
});

test("the rules forbid what they are there to forbid", () => {
  const edge = (from: string, to: string, typeOnly = false): Import => ({
    from,
    to,
    typeOnly,
    external: false,
    names: [],
  });
  const forbidden = [
    edge("core/train/x.ts", "backends/webgpu/x.ts", true),
    edge("core/ops/x.ts", "core/graph/x.ts", true),
    edge("core/nn/x.ts", "core/optim/x.ts"),
    edge("core/interfaces/x.ts", "core/tensor/x.ts"),
    edge("core/di/x.ts", "core/mod.ts"),
    edge("core/errors.ts", "core/di/mod.ts"),
    edge("core/mod.ts", "core/testing/mod.ts"),
    edge("core/train/x.ts", "core/testing/x.ts", true),
    edge("plugins/losses/x.ts", "core/testing/mod.ts"),
    edge("plugins/losses/x.ts", "plugins/samplers/x.ts"),
    edge("plugins/losses/x.ts", "backends/webgpu/x.ts"),
    edge("backends/webgpu/x.ts", "plugins/losses/x.ts"),
    edge("backends/reference/x.ts", "wgsl/generated.ts"),
    edge("backends/reference/x.ts", "backends/webgpu/x.ts"),
    edge("examples/cli/x.ts", "test/helpers/x.ts"),
    edge("core/train/x.ts", "examples/engine/x.ts", true),
    edge("plugins/losses/x.ts", "examples/engine/x.ts"),
    edge("backends/wasm/x.ts", "examples/engine/x.ts"),
    edge("examples/engine/x.ts", "examples/cli/x.ts"),
  ];
  for (const each of forbidden) assert.not.ok(allowed(each), show(each));
  const permitted = [
    edge("core/interfaces/x.ts", "core/tensor/x.ts", true),
    edge("core/interfaces/x.ts", "core/di/token.ts"),
    edge("core/graph/x.ts", "core/ops/mod.ts"),
    edge("core/testing/x.ts", "core/train/mod.ts"),
    edge("examples/cli/x.ts", "core/testing/mod.ts"),
    edge("plugins/methods/dmd2.ts", "plugins/losses/x.ts"),
    edge("plugins/mod.ts", "plugins/losses/x.ts"),
    edge("backends/webgpu/x.ts", "wgsl/generated.ts"),
    edge("examples/engine/x.ts", "plugins/all.ts"),
    edge("examples/engine/x.ts", "backends/wasm/mod.ts"),
    edge("examples/cli/x.ts", "examples/engine/x.ts"),
  ];
  for (const each of permitted) assert.ok(allowed(each), show(each));
});

test.run();
