import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { golden, goldenNames } from "../../helpers/golden.ts";
import { runCase } from "../../helpers/opCases.ts";

const test = suite("backends/webgpu (golden)");
const backend = await WebGpuBackend.open({});

for (const name of [...goldenNames("ops_"), "optimizers", "ema"])
  test(`${name}: forward and gradients within tolerance`, async () => {
    const { ratio, where, compared } = await runCase(backend, golden(name));
    assert.ok(compared > 0);
    assert.ok(ratio <= 1, `${ratio} x the tolerance at ${where}`);
  });

test.after(() => backend.close());
test.run();
