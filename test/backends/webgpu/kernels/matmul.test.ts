import { suite } from "uvu";
import * as assert from "uvu/assert";
import { matmul } from "../../../../core/ops/mod.ts";
import { checkKernel, closeTestBackends, floats, tolerances } from "../../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./profiles.ts";

const test = suite("backends/webgpu/kernels/matmul");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  all = (await profiles()).filter(({ has }) => has("matmul"));
});

const booleans = [false, true];

async function check(
  [M, K, N]: readonly number[],
  [batchA, batchB]: readonly (readonly number[])[] = [[], []],
): Promise<void> {
  for (const { name, options } of all)
    for (const transA of booleans)
      for (const transB of booleans) {
        const a = floats([...batchA, ...(transA ? [K, M] : [M, K])], 1);
        const b = floats([...batchB, ...(transB ? [N, K] : [K, N])], 2);
        await checkKernel(
          `matmul ${name} [${batchA}] [${batchB}] ${M} ${K} ${N} ${transA} ${transB}`,
          (x, y) => matmul(x, y, { transA, transB }),
          [a, b],
          tolerances.sum,
          options,
        );
      }
}

for (const size of [
  [1, 1, 1],
  [2, 3, 5],
  [8, 4, 4],
  [7, 13, 11],
  [33, 17, 9],
  [31, 36, 44],
  [40, 20, 36],
])
  test(`matmul: ${size.join(" × ")}, all transposes`, () => check(size));

test("matmul: sums in chunks where the result is small", async () => {
  await check([5, 301, 7]);
  await check([8, 1000, 12]);
});

test("matmul: batch axes broadcast", async () => {
  await check([5, 7, 6], [[3], [3]]);
  await check([8, 12, 4], [[3], []]);
  await check([4, 8, 4], [[], [3]]);
  await check([9, 200, 3], [[2, 1], [3]]);
  await check(
    [3, 5, 2],
    [
      [2, 1, 3],
      [1, 4, 1],
    ],
  );
  await check(
    [4, 4, 4],
    [
      [2, 1, 3, 1, 2],
      [1, 2, 1, 3, 1],
    ],
  ); // more than one dispatch takes
});

test("matmul: the same bits again", async () => {
  for (const { options } of all) {
    const run = async () => {
      const inputs = [floats([9, 700], 1), floats([700, 12], 2)];
      return (await checkKernel("matmul", (a, b) => matmul(a, b), inputs, tolerances.sum, options))[0];
    };
    assert.equal((await run()).actual, (await run()).actual);
  }
});

test.run();
