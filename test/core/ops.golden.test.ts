import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { golden, goldenNames } from "../helpers/golden.ts";
import { runCase } from "../helpers/opCases.ts";

const test = suite("core/ops (golden, reference backend)");

for (const name of [...goldenNames("ops_"), "optimizers", "ema"])
  test(`${name}: forward and gradients within tolerance`, async () => {
    const { ratio, where, compared } = await runCase(new ReferenceBackend(), golden(name));
    console.log(`${name}: ${compared} tensors, worst ${ratio.toPrecision(2)} of the tolerance`);
    assert.ok(compared > 0);
    assert.ok(ratio <= 1, `${ratio} x the tolerance at ${where}`);
  });

test.run();
