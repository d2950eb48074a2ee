import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program } from "../../../core/graph/mod.ts";
import { float32ToBfloat16, float32ToFloat16, type StoredTensor, toFloat32 } from "../../../core/io/mod.ts";
import {
  conv,
  FrozenNetwork,
  frozenSource,
  frozenWeights,
  layoutOf,
  linear,
  type Scope,
} from "../../../core/nn/mod.ts";
import { input, mul, reshape, state } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { closeTestBackends, testBackend } from "../../helpers/kernelHarness.ts";
import { numbers } from "../../plugins/support.ts";

const test = suite("backends/webgpu/halfStates");
test.after(closeTestBackends);

const SHAPE = [2, 3, 6, 7];
function apply(scope: Scope, { x }: Readonly<Record<string, Tensor>>) {
  const y = conv(scope.at("conv"), x, 5);
  return { y, z: linear(scope.at("linear"), reshape(y, [-1, 7]), 3) };
}
const declare = (scope: Scope) => void apply(scope, { x: input("x", SHAPE) });

for (const dtype of ["F16", "BF16"] as const)
  test(`weights of a file in ${dtype} give the bits of widened ones`, async () => {
    const backend = await testBackend();
    const narrowed = dtype === "F16" ? float32ToFloat16 : float32ToBfloat16;
    const file = Object.fromEntries(
      layoutOf(declare).entries.map(({ name, shape }, i) => {
        const tensor = { dtype, shape, data: narrowed(numbers(shape, i)) } as StoredTensor;
        return [name, { ...tensor, read: () => tensor }];
      }),
    );
    const wide = Object.fromEntries(
      Object.entries(file).map(([name, { shape, read }]) => [name, { shape, data: toFloat32(read()) }]),
    );
    const outputs = [];
    for (const weights of [frozenWeights("w", declare, wide, "f32"), frozenSource("w", declare, file, "a file")]) {
      const network = await FrozenNetwork.open(backend, {
        weights,
        inputs: { x: { shape: SHAPE.slice(1) } },
        apply,
        batch: SHAPE[0],
      });
      outputs.push(await network.run({ x: numbers(SHAPE, 9) }));
      network.dispose();
    }
    assert.equal(outputs[1], outputs[0]);
  });

test("a state in halves takes parts and whole, bits and numbers, and half the bytes where the device has f16", async () => {
  const backend = await testBackend();
  for (const [type, half] of [
    ["f16", 0x3800],
    ["bf16", 0x3f00],
  ] as const) {
    const memory = backend.createMemory();
    memory.allocate("s", 1001, type);
    assert.is(memory.bytes, 1001 * (backend.keeps?.includes(type) ? 2 : 4));
    memory.write("s", new Float32Array(1001).fill(3));
    memory.write("s", Uint16Array.of(half, half, half), 128);
    const run = await backend.compile(
      program({ name: "read", outputs: { y: mul(state("s", [1001], "f32", type), 2) } }),
      memory,
    );
    await run.run();
    for (const values of [await memory.read("s"), (await run.read("y")).map((value) => value / 2)])
      assert.equal([...values.subarray(126, 131)], [3, 3, 0.5, 0.5, 0.5]);
    run.dispose();
    memory.dispose();
  }
});

test.run();
