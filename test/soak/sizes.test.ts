import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../backends/host/files.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { readTensors } from "../../core/io/mod.ts";
import { frozenWeights, storeFrozen } from "../../core/nn/mod.ts";
import { forward, loaded, makeFile, planned } from "./trueSizes.ts";

const test = suite("soak/sizes");

const folder = mkdtempSync(join(tmpdir(), "onestep-sizes-"));
const path = join(folder, "small.safetensors");
const bytes = await makeFile("small", path);

test("a network in halves, read from its file, computes the bits of a widened one and takes half its memory", async () => {
  const ready = await loaded("small", path);
  assert.is(ready.backend.liveBytes, ready.memory.bytes);
  // Biases and norms are kept in f32; each flat tensor ends at a multiple of 256 bytes.
  assert.ok(ready.memory.bytes < 1.05 * bytes, `${ready.memory.bytes} of a file of ${bytes}`);
  const halfPlan = planned(ready);
  const half = await forward(ready, 1);
  await ready.backend.close();

  const backend = await WasmBackend.open();
  const memory = backend.createMemory();
  const tensors = await readTensors(files, path);
  const weights = frozenWeights("small", (scope) => void ready.apply(scope), tensors, path);
  storeFrozen(memory, weights);
  const widened = { ...ready, backend, memory, weights };
  const widePlan = planned(widened);
  const wide = await forward(widened, 1);
  await backend.close();
  assert.equal(half.values, wide.values);
  assert.ok(halfPlan.weightBytes < 0.55 * widePlan.weightBytes);
  assert.ok(halfPlan.activationBytes <= widePlan.activationBytes + 2 ** 16, "halves are widened in small pieces");
});

test.after(() => rmSync(folder, { recursive: true }));
test.run();
