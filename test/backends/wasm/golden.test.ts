import { suite } from "uvu";
import { conforms, goldenNames } from "../../helpers/golden.ts";
import { backendOf } from "./compare.ts";

const test = suite("backends/wasm (golden)");

for (const relaxed of [false, true])
  for (const name of ["ops_", "optimizers", "ema", "timestep_", "edm_eps", "edm_ncsnpp"].flatMap(goldenNames))
    test(`${name}: forward and gradients within tolerance${relaxed ? ", fused" : ""}`, async () => {
      await conforms(name, await backendOf({ relaxed }));
    });

test.run();
