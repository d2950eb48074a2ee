import { suite } from "uvu";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { conforms, goldenNames } from "../helpers/golden.ts";

const test = suite("core/ops (golden, reference backend)");

for (const name of [...goldenNames("ops_"), "optimizers", "ema"])
  test(`${name}: forward and gradients within tolerance`, async () => {
    const { ratio, compared } = await conforms(name, new ReferenceBackend());
    console.log(`${name}: ${compared} tensors, worst ${ratio.toPrecision(2)} of the tolerance`);
  });

test.run();
