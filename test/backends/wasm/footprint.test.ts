import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { benchUnet, checkFootprint, smallUnet } from "../../helpers/footprint.ts";

const test = suite("backends/wasm/footprint");

test("a program holds what was foretold, on any number of threads", async () => {
  for (const threads of [1, 3]) {
    const backend = await WasmBackend.open({ threads });
    for (const recompute of ["none", "blocks"] as const)
      await checkFootprint(backend, smallUnet, { recompute, batch: 3, size: 8 });
    await backend.close();
  }
});

test("at bench size, kernels add little to the plan", async () => {
  const backend = await WasmBackend.open({ threads: 2 });
  const { plan, added, variants } = await checkFootprint(backend, benchUnet, { recompute: "blocks" });
  // Winograd's share: its weights take 36 numbers instead of 9, 1.2 MB of the largest layer, and a thread's sums and
  // transformed tiles up to 1.2 MB, whatever the layer. A larger batch makes the plan larger, and not these.
  assert.ok(added < 0.15 * plan, `${added} of ${plan} bytes`);
  assert.equal(Object.keys(variants!.conv2d).sort(), ["direct", "winograd"]);
  await backend.close();
});

test("the capacity is that of the memory", async () => {
  const backend = await WasmBackend.open({ threads: 1, memory64: false });
  assert.ok(backend.capacity > 0 && backend.capacity < 2 ** 32);
  await backend.close();
});

test.run();
