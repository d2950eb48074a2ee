// The process must end by itself, with its own exit code, however the program leaves the device.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bundle, run } from "./adapter/child.ts";

const test = suite("backends/webgpu/exit");

const start = `
import { WebGpuBackend } from "./webgpu/mod.ts";
import { program } from "../core/graph/mod.ts";
import * as ops from "../core/ops/mod.ts";
const backend = await WebGpuBackend.open();
const memory = backend.createMemory();
memory.allocate("a", 1000);
const a = ops.state("a", [1000]);
const next = ops.add(ops.sin(a), 1);
const grow = program({ name: "grow", outputs: { next }, updates: [[a, next]] });
const step = await backend.compile(grow, memory);
await step.run();
`;

const endings: Record<string, { source: string; code: number; output?: string }> = {
  "returns after close": { source: "await backend.close();", code: 0 },
  "returns without close": { source: "", code: 0 },
  "returns with runs in flight": {
    source: "for (let i = 0; i < 20; i++) void step.run();",
    code: 0,
  },
  "returns with a read pending": {
    source: "step.read('next').then((list) => console.log('read ' + list[0]));",
    code: 0,
    output: "read 1",
  },
  "closes with a read pending": {
    source: "const r = step.read('next').catch((e) => console.log(e.code)); await backend.close(); await r;",
    code: 0,
    output: "E_DISPOSED",
  },
  throws: { source: "throw new Error('on purpose');", code: 1 },
  "exits with runs in flight": {
    source: "void step.run(); void step.run(); process.exit(3);",
    code: 3,
  },
};

for (const [name, { source, code, output }] of Object.entries(endings))
  test(`a program that ${name} ends with code ${code}`, async () => {
    const ended = await run(process.execPath, [await bundle(start + source)]);
    assert.is(ended.signal, null, ended.stderr);
    assert.is(ended.code, code, ended.stderr);
    if (output) assert.match(ended.stdout, output);
  });

test.run();
