// What createEngine and its engine say of what can't be: one line, a code, and a way out that a program can take.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import type { Metric } from "../../../core/interfaces/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { createEngine, type Engine, type EngineOptions } from "../../../examples/engine/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";
import { tinyRun } from "./tinyRun.ts";

const test = suite("engine (bad input)");

const files = memoryFiles();
let engine: Engine;
let weights: Uint8Array;
test.before(async () => {
  engine = await createEngine({ device: new ReferenceBackend(), files });
  const training = await engine.train(tinyRun(1), { out: "run" });
  await training.start();
  weights = await training.weights();
});
test.after(() => engine.dispose());

/** Holds an error to its code, a message of one line that says this, and a way out. */
async function refused(call: Promise<unknown>, code: string, says: RegExp): Promise<string> {
  const error = await rejected(call);
  assert.is(error.code, code, error.message);
  assert.match(error.message, says);
  assert.not.match(error.message, /\n/);
  assert.ok(error.fix.length > 0);
  return error.fix;
}
/** Options as a program in JavaScript may give them. */
const odd = (options: object) => createEngine(options as EngineOptions);

test("options of createEngine", async () => {
  await refused(odd({ devcie: "wasm" }), "E_UNKNOWN_OPTION", /"devcie" is not one of .*did you mean "device"\?/);
  await refused(odd({ device: 3 }), "E_OPTION", /device must be the name of a device or a backend/);
  await refused(odd({ device: "wasm", threads: 0 }), "E_OPTION", /threads must be a whole number in \[1, 1024\]/);
  await refused(odd({ plugins: "dmd2" }), "E_OPTION", /plugins must be a list of plugins/);
  await refused(odd({ note: "loud" }), "E_OPTION", /note must be a function/);
});

test("a device that is not there", async () => {
  const fix = await refused(
    createEngine({ device: "no such adapter" }),
    "E_NO_ADAPTER",
    /wanted an adapter whose name has "no such adapter"/,
  );
  assert.match(fix, /"wasm"/);
});

test("plugins: what is none, one of a strange version, two of a name, one that throws", async () => {
  const device = new ReferenceBackend();
  await refused(odd({ device, plugins: [{ name: "mine" }] }), "E_PLUGIN_FILE", /it is no plugin/);
  const named = (create: () => Metric) =>
    definePlugin({ name: "broken", kind: "metric", about: "Throws", options: {}, create });
  const broken = named(() => {
    throw new Error("no idea");
  });
  const [first, second] = [
    broken,
    named(() => {
      throw new Error("never asked");
    }),
  ];
  await refused(odd({ device, plugins: [first, second] }), "E_DUPLICATE_PLUGIN", /metric "broken"/);
  const own = await createEngine({ device, plugins: [...allPlugins, broken] });
  const config = tinyRun(1, { metrics: { broken: {} } });
  await refused(own.train(config), "E_PLUGIN", /metric "broken": its create threw Error: no idea/);
  await own.dispose();
});

test("configs", async () => {
  await refused(engine.train(tinyRun(1, { optimizer: {} })), "E_UNKNOWN_OPTION", /"optimizer".*did you mean/);
  await refused(engine.train(tinyRun(1, { network: { width: -1 } })), "E_OPTION", /width must be/);
  const fix = await refused(
    engine.train(tinyRun(1, { network: { use: "mpl", width: 4 } })),
    "E_MISSING_PLUGIN",
    /network "mpl": .*did you mean "mlp"\?/,
  );
  assert.match(fix, /plugins: \[\.\.\.allPlugins, yours\]/);
  await refused(engine.train(tinyRun(1), { ouput: "x" } as object), "E_UNKNOWN_OPTION", /"ouput".*did you mean/);
  const taken = await refused(engine.train(tinyRun(1), { out: "run" }), "E_RUN_EXISTS", /run/);
  assert.match(taken, /existing: "resume"/);
});

test("weights: damaged, of nobody, of another network, without their plugins, in files that there are not", async () => {
  await refused(engine.load(weights.slice(0, 100)), "E_CHECKPOINT", /the bytes/);
  await refused(engine.load(new Uint8Array(0)), "E_CHECKPOINT", /the bytes/);
  const text = new TextDecoder("latin1").decode(weights);
  const wider = Uint8Array.from(text.replaceAll('\\"width\\":16', '\\"width\\":17'), (each) => each.charCodeAt(0));
  await refused(engine.load(wider), "E_CHECKPOINT", /\[17/);
  const bare = await createEngine({ device: new ReferenceBackend(), plugins: [] });
  await refused(bare.load(weights), "E_MISSING_PLUGIN", /network "mlp": it is not registered/);
  const fix = await refused(bare.load("run"), "E_OPTION", /Cannot load run: the engine has no files/);
  assert.match(fix, /onestep\/host/);
  await bare.dispose();
  await refused(engine.load("nowhere"), "E_CHECKPOINT", /nowhere/);
  await refused(engine.load("nowhere.safetensors"), "E_FILE", /nowhere.safetensors/);
  await refused(engine.load("run", { role: "critc" }), "E_CHECKPOINT", /no weights of the critc/);
  await refused(engine.load("run", { role: "critic" }), "E_CHECKPOINT", /draws samples from teacher, generator/);
  await refused(engine.load(7 as unknown as string), "E_OPTION", /expected a path, or the bytes/);
});

test("requests to a model", async () => {
  const model = await engine.load(weights);
  const cases: [object, string, RegExp][] = [
    [{ coutn: 3 }, "E_UNKNOWN_OPTION", /did you mean "count"\?/],
    [{ count: 0 }, "E_OPTION", /count must be a whole number/],
    [{ seed: 1.5 }, "E_OPTION", /seed must be a whole number/],
    [{ label: "3" }, "E_OPTION", /has no classes/],
    [{ label: {} }, "E_OPTION", /a class by name or number/],
    [{ prompt: "a cat" }, "E_OPTION", /the model is told no text/],
    [{ steps: 4 }, "E_OPTION", /its noise levels are those it was trained for/],
    [{ guidance: 2 }, "E_OPTION", /was not taught to be told a scale/],
    [{ sampler: "henu" }, "E_MISSING_PLUGIN", /did you mean "heun"\?/],
    [{ signal: "now" }, "E_OPTION", /signal must be an AbortSignal/],
    [{ condition: { text: new Float32Array(3) } }, "E_OPTION", /knows no text/],
  ];
  for (const [request, code, says] of cases) await refused(model.sample(request), code, says);
  await refused(model.evaluate({ metric: {} } as object), "E_UNKNOWN_OPTION", /"metric".*did you mean/);
  await refused(model.evaluate({ dataset: { use: "mnist" } }), "E_DATA", /there is no data folder/);
  const { pictures } = await model.sample();
  await refused((async () => pictures())(), "E_SHAPE", /samples \[2\]: should be \[1 or 3, H, W\]/);
  await model.dispose();
});

test.run();
