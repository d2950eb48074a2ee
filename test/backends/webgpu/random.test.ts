import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as ops from "../../../core/ops/mod.ts";
import type { Shape } from "../../../core/tensor/mod.ts";
import {
  checkKernel,
  closeTestBackends,
  type HostTensor,
  type Tolerance,
  tolerances,
} from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/random");
test.after(closeTestBackends);

/** Box-Muller in f32 from exact uniforms. */
const normal: Tolerance = { absolute: 1e-6, relative: 2e-6, ofLargest: 0 };

const keys: HostTensor[] = [
  [0, 0, 0],
  [1, 0, 0],
  [-1, -1, -1],
  [123456789, -987654321, 2147483647],
].map((words) => ({ shape: [3], data: Int32Array.from(words) }));
const shapes: Shape[] = [[1], [2], [3], [4], [5], [64], [257], [3, 5, 7], [4099]];

test("uniform numbers are the reference's, bit for bit", async () => {
  for (const [i, key] of keys.entries())
    for (const shape of shapes) {
      const attrs = { distribution: "uniform", stream: i * 2_000_000_011, shape } as const;
      await checkKernel(`uniform [${shape}]`, (k) => ops.random(k, attrs), [key], tolerances.exact);
    }
});

test("normal numbers agree with the reference, in the tails and near 0", async () => {
  for (const [stream, key] of keys.entries())
    for (const shape of shapes) {
      const attrs = { distribution: "normal", stream, shape } as const;
      await checkKernel(`normal [${shape}]`, (k) => ops.random(k, attrs), [key], normal);
    }
  const large = { distribution: "normal", stream: 7, shape: [300_001] } as const;
  const [{ actual }] = await checkKernel("normal", (k) => ops.random(k, large), [keys[1]], normal);
  assert.ok(Math.max(...actual.slice(0, 100_000)) > 4);
});

test.run();
