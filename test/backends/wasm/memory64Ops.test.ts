// Every example of every op far above 4 GiB: the same bits as below.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasMemory64 } from "../../../backends/wasm/kernelModule.ts";
import { exportedOps } from "../../helpers/ops.ts";
import { programOf, runOn } from "../../helpers/opsProgram.ts";
import { backendOf, bits, far } from "./compare.ts";

const test = suite("backends/wasm/memory64 (ops)");

if (!hasMemory64()) test.skip("every op above 4 GiB: this engine has no such memory", () => {});
for (const [index, name] of hasMemory64() ? Object.keys(exportedOps).entries() : [])
  test(`${name} has the same bits above 4 GiB`, async () => {
    const { outputs, inputs } = programOf(name, index);
    const options = { threads: 2, poison: true };
    const expected = await runOn(await backendOf(options), outputs, inputs);
    const actual = await runOn(await backendOf({ ...options, ...far }), outputs, inputs);
    for (const [label, values] of Object.entries(expected)) assert.equal(bits(actual[label]), bits(values), label);
  });

test.run();
