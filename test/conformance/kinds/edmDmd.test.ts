import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { conforms, goldenNames, goldenSet } from "../../helpers/golden.ts";
import { dmdTrajectoryKind } from "./dmdTrajectory.ts";
import { edmDmdKind } from "./edmDmd.ts";

const test = suite("examples/cli/conformance/kinds (DMD2, EDM recipe)");

// The tests of the losses run their cases on the oracle; these are all cases, whole training runs included.
for (const open of [() => WasmBackend.open(), () => WebGpuBackend.open({})]) {
  const backend = await open();
  for (const name of goldenNames("dmd_"))
    test(`${name} on ${backend.info.backend}: within tolerance`, async () => {
      await conforms(name, backend);
    });
  test(`close ${backend.info.backend}`, () => backend.close());
}

test("no case of these kinds is left over", () => {
  const kinds = [edmDmdKind, dmdTrajectoryKind];
  for (const entry of goldenSet.entries.filter(({ file }) => file.startsWith("dmd_")))
    assert.ok(
      kinds.some((kind) => kind.matches(entry)),
      entry.file,
    );
});

test.run();
