import { suite } from "uvu";
import * as assert from "uvu/assert";
import { admStep } from "../../helpers/admStep.ts";
import { checkFootprint, smallUnet } from "../../helpers/footprint.ts";
import { testBackend } from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/footprint");

test("a program holds what was foretold", async () => {
  const backend = await testBackend({ debug: false });
  for (const recompute of ["none", "blocks"] as const) {
    await checkFootprint(backend, smallUnet, { recompute, batch: 3, size: 8 });
  }
});

test("a tensor larger than a binding is refused before anything is allocated", async () => {
  const backend = await testBackend({ traits: { maxBinding: 2 ** 14 } });
  const before = backend.liveBytes;
  assert.throws(
    () => backend.footprint(admStep(smallUnet, { batch: 64, size: 8 }).program),
    /^Cannot compile adm step, recompute none: .* needs .* in one binding/,
  );
  assert.is(backend.liveBytes, before);
});

test.after(async () => {
  for (const options of [{ debug: false }, { traits: { maxBinding: 2 ** 14 } }])
    await (await testBackend(options)).close();
});

test.run();
