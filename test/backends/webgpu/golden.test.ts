import { suite } from "uvu";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";

const test = suite("backends/webgpu (golden)");
const backend = await WebGpuBackend.open({});

for (const name of ["ops_", "optimizers", "ema", "timestep_", "edm_eps", "edm_ncsnpp"].flatMap(goldenNames))
  test(`${name}: forward and gradients within tolerance`, async () => {
    await conforms(name, backend);
  });

test.after(() => backend.close());
test.run();
