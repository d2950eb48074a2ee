import type { Creatable } from "./kinds.ts";
import { templates } from "./templates.generated.ts";

/** The source of a plugin under another name: that of an example which works, to be changed. */
export function pluginText(kind: Creatable, name: string): string {
  const text = templates[kind];
  const [, known] = text.match(/name: "([\w-]+)"/) as RegExpMatchArray;
  const key = /^\w+$/.test(name) ? name : JSON.stringify(name);
  return (
    text
      .replaceAll(`"${known}"`, `"${name}"`)
      // The number that a metric gives, and where its comment begins with it.
      .replace(`{ ${known}: `, `{ ${key}: `)
      .replace(`/** ${known}: `, `/** ${name}: `)
      .replace(`take ${known} by`, `take ${name} by`)
  );
}

/** How the plugin is held to what is promised of its kind: what is imported, and the call. */
const checks: Readonly<Record<Creatable, { readonly by: string; readonly call: string; readonly note?: string }>> = {
  loss: {
    by: "testLoss",
    call: "testLoss(plugin(), { backends, surrogate: true })",
    note: "surrogate: what is behind stopGradient is held fixed while the gradient is compared with differences.",
  },
  sampler: {
    by: "testSampler",
    call: "testSampler(plugin({ steps: 18 }), { backends, nfe: 36 })",
    note: "nfe: network calls of a sample. One that draws noise on its way is tested with deterministic: false.",
  },
  dataset: {
    by: "testDataset",
    call: "testDataset(plugin())",
    note: "One that reads files is given some: testDataset(plugin(), { folder: { files, path } }).",
  },
  metric: { by: "testMetric", call: "testMetric(plugin(), { backends })" },
  method: { by: "checkPlugin", call: "checkPlugin(plugin, { critic: { steps: 10 } })" },
};

/** The source of its test, for the test runner of Node and Deno. */
export function testText(kind: Creatable, name: string): string {
  const { by, call, note } = checks[kind];
  const onDevices = call.includes("backends");
  return [
    'import test from "node:test";',
    ...(onDevices ? ['import { ReferenceBackend } from "onestep/reference";'] : []),
    `import { ${by} } from "onestep/testing";`,
    ...(onDevices ? ['import { WasmBackend } from "onestep/wasm";'] : []),
    `import plugin from "./${name}.ts";`,
    "",
    ...(onDevices
      ? [
          "// The first is the oracle, in float64; all others are held to it.",
          'const backends = [new ReferenceBackend("f64"), await WasmBackend.open()];',
          "",
        ]
      : []),
    ...(note ? [`// ${note}`] : []),
    `test("${name}", () => ${call});`,
    "",
  ].join("\n");
}
