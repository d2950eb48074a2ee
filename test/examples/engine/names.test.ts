// The names that types know are those that methods and metrics have.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { METHOD } from "../../../core/interfaces/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { resolveConfig } from "../../../core/train/mod.ts";
import { composeSampling } from "../../../core/train/run/compose.ts";
import { presets } from "../../../examples/cli/presets.ts";
import { createEngine, type MethodRoles } from "../../../examples/engine/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";

const test = suite("engine/names");

/** Each name of the type, and none besides: the compiler sees to it. */
const known: { readonly [K in keyof MethodRoles]: Readonly<Record<MethodRoles[K], true>> } = {
  consistency: { teacher: true, generator: true },
  dmd2: { teacher: true, generator: true, critic: true },
  "dp-dmd": { teacher: true, generator: true, critic: true },
  "f-distill": { teacher: true, generator: true, critic: true, "ratio-bins": true },
  "guided-distillation": { teacher: true, generator: true, former: true },
  "last-stage": { teacher: true, generator: true, critic: true, earlier: true },
  lightning: { teacher: true, generator: true, critic: true },
  progressive: { teacher: true, generator: true },
  reflow: { teacher: true, generator: true, flow: true },
  tract: { teacher: true, generator: true },
  "truncated-consistency": { teacher: true, generator: true, earlier: true },
};

test("types know every method and its roles", async () => {
  const registry = new Registry().register(allPlugins);
  const data = { sample: [2], condition: {}, sigmaData: 1 };
  const found: Record<string, string[]> = {};
  for (const [name, preset] of Object.entries(presets).filter(([name]) => name.startsWith("gaussians"))) {
    const { plugins } = resolveConfig(await preset.config(), registry);
    const method = plugins.find(({ kind }) => kind === "method")!;
    const { roles } = composeSampling(plugins, new ReferenceBackend(), data).get(METHOD);
    found[method.name] = [...new Set([...(found[method.name] ?? []), ...Object.keys(roles)])];
    assert.ok(Object.hasOwn(known, method.name), `${method.name} of ${name}`);
  }
  const names = registry.list("method").map(({ definition }) => definition.name);
  assert.equal(Object.keys(known).sort(), names.sort());
  for (const [name, roles] of Object.entries(known)) assert.equal(found[name].sort(), Object.keys(roles).sort(), name);
});

test("a config whose type says its method and metrics has results of those names, and no others", async () => {
  await using engine = await createEngine({ device: new ReferenceBackend() });
  const training = await engine.train({
    dataset: { use: "gaussians" },
    network: { use: "mlp", width: 8, depth: 1 },
    teacher: { use: "gaussian-mixture" },
    generator: { use: "few-step", sigmas: [10] },
    critic: { use: "fake-score" },
    sampler: { use: "heun", steps: 2 },
    method: { use: "dmd2" },
    losses: { "distribution-matching": {}, "fake-score": {} },
    optimizers: { generator: { use: "adamw" }, critic: { use: "adamw" } },
    metrics: { "gaussian-modes": { directions: 4 } },
    train: { steps: 1, batch: 4, evaluateCount: 16 },
  });
  const { judgements } = await training.start();
  const whose: ("data" | "teacher" | "generator" | "critic")[] = judgements.map(({ who }) => who);
  assert.equal(whose, ["data", "teacher", "generator"]);
  const { metrics } = judgements[2];
  const named: Record<"in2" | "in3" | "lo" | "hi" | "modeStd" | "sw", number> = metrics;
  assert.equal(Object.keys(metrics).sort(), ["hi", "in2", "in3", "lo", "modeStd", "sw"]);
  assert.type(named.sw, "number");
  // @ts-expect-error: no metric of the config gives an FID
  assert.is(metrics.fid, undefined);
  // @ts-expect-error: the method has no such role
  const error = await training.weights("discriminator").catch((error: Error) => error.message);
  assert.match(String(error), /Cannot read the weights of "discriminator": roles are teacher, generator, critic/);
});

test.run();
