import { suite } from "uvu";
import { matmul as lowering } from "../../../../backends/wasm/kernels/matmul.ts";
import { matmul } from "../../../../core/ops/mod.ts";
import { check, tensor } from "./runPlan.ts";

const test = suite("backends/wasm/kernels/matmul");

const product = (M: number, K: number, N: number, transA: boolean, transB: boolean) =>
  matmul(transA ? tensor(K, M) : tensor(M, K), transB ? tensor(N, K) : tensor(K, N), {
    transA,
    transB,
  });

for (const transA of [false, true])
  for (const transB of [false, true]) {
    const name = `${transA ? "aᵀ" : "a"}·${transB ? "bᵀ" : "b"}`;
    test(`${name}: odd sizes`, () => {
      const sizes = [1, 2, 5, 8, 9, 11, 13];
      for (const M of sizes)
        for (const N of [1, 3, 8, 19]) for (const K of [1, 5, 8]) check(lowering, product(M, K, N, transA, transB));
    });
    test(`${name}: many blocks, long sums`, () => {
      check(lowering, product(131, 67, 301, transA, transB));
      check(lowering, product(9, 1031, 33, transA, transB));
      check(lowering, product(257, 18, 128, transA, transB));
      check(lowering, product(1, 517, 129, transA, transB));
      check(lowering, product(70, 513, 2, transA, transB));
    });
    test(`${name}: batches that broadcast`, () => {
      const batches: [number[], number[]][] = [
        [[3], [3]],
        [[1], [3]],
        [[3], [1]],
        [[5], []],
        [[], [5]],
        [
          [2, 3],
          [2, 3],
        ],
        [[2, 3], [3]],
        [
          [2, 1],
          [1, 3],
        ],
        [
          [2, 1, 3, 1],
          [1, 2, 3, 2],
        ],
        [
          [2, 1, 2, 1],
          [3, 1, 2],
        ],
      ];
      for (const [batchA, batchB] of batches)
        for (const [M, K, N] of [
          [3, 5, 9],
          [12, 7, 11],
          [200, 150, 140],
        ]) {
          if (M === 200 && batchA.length + batchB.length > 3) continue;
          const a = tensor(...batchA, ...(transA ? [K, M] : [M, K]));
          const b = tensor(...batchB, ...(transB ? [N, K] : [K, N]));
          check(lowering, matmul(a, b, { transA, transB }));
        }
    });
  }

test.run();
