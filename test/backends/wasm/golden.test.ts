import { suite } from "uvu";
import { hasMemory64 } from "../../../backends/wasm/kernelModule.ts";
import type { WasmOptions } from "../../../backends/wasm/mod.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";
import { backendOf, far } from "./compare.ts";

const test = suite("backends/wasm (golden)");

const ways: readonly [text: string, options: WasmOptions][] = [
  ["", { relaxed: false }],
  [", fused", { relaxed: true }],
  ...(hasMemory64() ? [[", above 4 GiB", far] as [string, WasmOptions]] : []),
];

for (const [text, options] of ways)
  for (const name of ["ops_", "optimizers", "ema", "timestep_", "edm_eps", "edm_ncsnpp"].flatMap(goldenNames))
    test(`${name}: forward and gradients within tolerance${text}`, async () => {
      await conforms(name, await backendOf(options));
    });

test.run();
