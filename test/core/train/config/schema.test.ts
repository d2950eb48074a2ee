// JSON Schema of configs, held to a validator that others wrote, and to what `resolveConfig` says.
import { Ajv2020 } from "ajv/dist/2020.js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../../../core/plugin/mod.ts";
import { configSchema, type RunConfig, resolveConfig } from "../../../../core/train/mod.ts";
import { presets } from "../../../../examples/cli/presets.ts";
import { allPlugins } from "../../../../plugins/all.ts";
import { thrown } from "../../../helpers/thrown.ts";

const test = suite("core/train/config/schema");
const registry = new Registry().register(allPlugins);
const schema = configSchema(registry);
const validate = new Ajv2020({ allErrors: false, strict: true, allowUnionTypes: true }).compile(schema);
const tiny = {
  dataset: { use: "gaussians" },
  network: { use: "mlp", width: 8 },
  method: { use: "dmd2" },
  losses: { "gan-generator": { weight: 0.1 }, mine: { use: "regression" }, "fake-score": false },
  optimizers: { generator: { use: "adamw", lr: 1e-3 } },
};

test("every preset is valid as it is written, and complete, as a run's folder has it", async () => {
  for (const [name, { config }] of Object.entries(presets)) {
    const given = JSON.parse(JSON.stringify(await config()));
    assert.ok(validate(given), `${name}: ${JSON.stringify(validate.errors?.at(-1))}`);
    const complete = JSON.parse(JSON.stringify(resolveConfig(given as RunConfig, registry).config));
    assert.ok(validate(complete), `${name}, complete: ${JSON.stringify(validate.errors?.at(-1))}`);
  }
});

test("what a run refuses is no valid config either", () => {
  const config = (over: object) => ({ ...tiny, ...over });
  assert.ok(validate(tiny), JSON.stringify(validate.errors));
  for (const over of [
    { network: { use: "mpl" } },
    { network: { use: "mlp", width: 0 } },
    { network: { use: "mlp", width: 1.5 } },
    { network: { use: "mlp", depht: 3 } },
    { losses: { nothing: {} } },
    { losses: { "fake-score": { weight: "much" } } },
    { optimizers: { generator: { use: "adamw", lr: -1 } } },
    { train: { checkpointing: "all" } },
    { trian: {} },
  ]) {
    assert.not.ok(validate(config(over)), JSON.stringify(over));
    thrown(() => resolveConfig(config(over) as unknown as RunConfig, registry));
  }
});

test("every section, plugin and option has a sentence, for what an editor shows on hovering", () => {
  const silent: string[] = [];
  let count = 0;
  const look = (value: unknown, path: string) => {
    if (typeof value !== "object" || value === null) return;
    const { properties } = value as { properties?: Record<string, { description?: unknown }> };
    for (const [name, each] of Object.entries(properties ?? {})) {
      count++;
      if (typeof each.description !== "string" || each.description === "") silent.push(`${path}.${name}`);
    }
    for (const [name, inner] of Object.entries(value)) look(inner, `${path}/${name}`);
  };
  look(schema, "");
  assert.ok(count > 900, `${count} properties`);
  assert.equal(silent, []);
});

test("an editor finds a sentence, a range and a default; the key of the schema changes no run", () => {
  const defs = schema.$defs as Record<string, { properties: Record<string, object> }>;
  assert.equal(defs["network/mlp"].properties.width, {
    description: "units of each hidden layer",
    type: "integer",
    minimum: 1,
    default: 128,
  });
  const named = { $schema: "./onestep.schema.json", ...tiny };
  assert.ok(validate(named));
  assert.equal(
    resolveConfig(named as unknown as RunConfig, registry).config,
    resolveConfig(tiny as unknown as RunConfig, registry).config,
  );
});

test.run();
