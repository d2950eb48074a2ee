import { suite } from "uvu";
import { attention } from "../../../../core/ops/mod.ts";
import { checkKernel, closeTestBackends, floats, tolerances } from "../../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./profiles.ts";

const test = suite("backends/webgpu/kernels/attention");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  all = (await profiles()).filter(({ has }) => has("attention"));
});

const cases = [
  { title: "one of everything", N: 1, M: 1, D: 1, E: 1, q: [], k: [], v: [] },
  { title: "odd sizes", N: 5, M: 7, D: 3, E: 4, q: [2], k: [2], v: [2] },
  { title: "a U-Net's", N: 64, M: 64, D: 32, E: 32, q: [2, 3], k: [2, 3], v: [2, 3] },
  { title: "more queries than lanes", N: 70, M: 130, D: 40, E: 33, q: [], k: [], v: [] },
  { title: "wide values", N: 16, M: 20, D: 8, E: 68, q: [3], k: [3], v: [3] },
  { title: "k is shared", N: 9, M: 11, D: 5, E: 6, q: [3], k: [], v: [3] },
  { title: "broadcast axes", N: 8, M: 8, D: 4, E: 4, q: [2, 1, 3], k: [1, 2, 1], v: [3] },
  {
    title: "more batch axes than one dispatch takes",
    N: 4,
    M: 5,
    D: 6,
    E: 7,
    q: [2, 1, 2, 1, 2],
    k: [1, 2, 1, 2, 1],
    v: [1],
  },
];

for (const { title, N, M, D, E, q, k, v } of cases)
  test(`attention: ${title}`, async () => {
    const inputs = [floats([...q, N, D], 1), floats([...k, M, D], 2), floats([...v, M, E], 3)];
    for (const { name, options } of all)
      await checkKernel(
        `attention ${name}`,
        (a, b, c) => attention(a, b, c, { scale: 3 / Math.sqrt(D) }),
        inputs,
        tolerances.sum,
        options,
      );
  });

test.run();
