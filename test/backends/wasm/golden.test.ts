import { suite } from "uvu";
import * as assert from "uvu/assert";
import { golden, goldenNames } from "../../helpers/golden.ts";
import { runCase } from "../../helpers/opCases.ts";
import { backendOf } from "./compare.ts";

const test = suite("backends/wasm (golden)");

for (const relaxed of [false, true])
  for (const name of [...goldenNames("ops_"), "optimizers", "ema"])
    test(`${name}: forward and gradients within tolerance${relaxed ? ", fused" : ""}`, async () => {
      const { ratio, where, compared } = await runCase(await backendOf({ relaxed }), golden(name));
      assert.ok(compared > 0);
      assert.ok(ratio <= 1, `${ratio} x the tolerance at ${where}`);
    });

test.run();
