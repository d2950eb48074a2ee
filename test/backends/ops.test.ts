// Every example of every op on every backend, against the float64 oracle. A new op needs no edit here: its examples come from
// its signature or from test/helpers/ops.ts. What examples do not show (sizes around tiles, variants, alignment, numbers far
// from 1) is tested in the folders of the backends.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import type { Backend } from "../../core/interfaces/mod.ts";
import * as ops from "../../core/ops/mod.ts";
import { keyOf } from "../../core/random/philox.ts";
import { interpret } from "../helpers/interpret.ts";
import { closeTestBackends, compare, testBackend, tolerances } from "../helpers/kernelHarness.ts";
import { exportedOps } from "../helpers/ops.ts";
import { programOf, runOn } from "../helpers/opsProgram.ts";

const test = suite("backends/ops");

let opened: Promise<Backend> | undefined;
const wasm = () => (opened ??= WasmBackend.open({ threads: 2, poison: true }));
const devices: Record<string, () => Promise<Backend>> = {
  reference: async () => new ReferenceBackend(),
  wasm,
  webgpu: () => testBackend(),
};
test.after(async () => {
  await (await wasm()).close();
  await closeTestBackends();
});

for (const [device, open] of Object.entries(devices)) {
  for (const [index, name] of Object.keys(exportedOps).entries())
    test(`${name} on ${device} agrees with the oracle`, async () => {
      const { outputs, inputs } = programOf(name, index);
      const exact = Object.fromEntries(Object.entries(inputs).map(([key, values]) => [key, Float64Array.from(values)]));
      const expected = interpret(Object.values(outputs), exact);
      const actual = await runOn(await open(), outputs, inputs);
      for (const [i, [label, { dtype }]] of Object.entries(outputs).entries())
        compare(`${name}, ${label}`, actual[label], expected[i], dtype === "i32" ? tolerances.exact : tolerances.anyOp);
    });

  test(`rows of a draw on ${device} are those of the whole draw, bit for bit`, async () => {
    for (const distribution of ["normal", "uniform"] as const)
      for (const [batch, size, ...sample] of [
        [6, 2],
        [6, 3, 5],
        [9, 1, 7, 3],
        [12, 4, 4],
        [10, 5, 2],
        [3, 1, 1031],
      ]) {
        const width = sample.reduce((product, each) => product * each, 1);
        const key = ops.input("key", [3], "i32");
        const rows = ops.input("rows", [size], "i32");
        const attrs = { distribution, stream: 7 };
        const outputs = {
          whole: ops.random(key, { ...attrs, shape: [batch, ...sample] }),
          part: ops.random(key, { ...attrs, shape: [size, ...sample] }, rows),
        };
        for (let first = 0; first < batch; first += size) {
          const places = Int32Array.from({ length: size }, (_, i) => first + i);
          const inputs = { key: keyOf(2 ** 40 + 17, 3), rows: places };
          const { whole, part } = await runOn(await open(), outputs, inputs);
          const own = whole.subarray(first * width, (first + size) * width);
          assert.equal([...part], [...own], `${distribution} [${batch}, ${sample}] from ${first}`);
        }
      }
  });
}

test.run();
