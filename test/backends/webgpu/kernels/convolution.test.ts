import { suite } from "uvu";
import { conv2d, conv2dInputGrad, conv2dWeightGrad, input } from "../../../../core/ops/mod.ts";
import { checkKernel, closeTestBackends, floats, tolerances } from "../../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./profiles.ts";

const test = suite("backends/webgpu/kernels/convolution");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  all = (await profiles()).filter(({ has }) => has("conv2d"));
});

type Pair = readonly [number, number];

/** x [B, C, H, W] with a weight [O, C, R, S]: forward, and gradients for input and weight. */
interface Case {
  readonly title: string;
  readonly x: readonly [B: number, C: number, H: number, W: number];
  readonly weight: readonly [O: number, R: number, S: number];
  readonly stride?: Pair;
  readonly padding?: Pair;
}

const cases: Case[] = [
  { title: "one of everything", x: [1, 1, 1, 1], weight: [1, 1, 1] },
  { title: "3×3, odd sizes", x: [2, 3, 5, 7], weight: [4, 3, 3], padding: [1, 1] },
  { title: "3×2, padding in width only", x: [2, 3, 7, 5], weight: [5, 3, 2], padding: [0, 1] },
  { title: "stride 2", x: [3, 5, 9, 11], weight: [7, 3, 3], stride: [2, 2], padding: [1, 1] },
  {
    title: "stride 2, even sizes",
    x: [1, 4, 8, 8],
    weight: [8, 3, 3],
    stride: [2, 2],
    padding: [1, 1],
  },
  { title: "stride 4, 5×3", x: [2, 2, 9, 10], weight: [3, 5, 3], stride: [4, 4], padding: [0, 2] },
  {
    title: "stride 3 and 4, kernel 2×2",
    x: [1, 3, 11, 11],
    weight: [2, 2, 2],
    stride: [3, 4],
    padding: [5, 1],
  },
  { title: "padding of a whole kernel", x: [2, 3, 4, 4], weight: [3, 3, 3], padding: [3, 3] },
  {
    title: "1×4, stride 1 and 2",
    x: [1, 2, 6, 5],
    weight: [3, 1, 4],
    stride: [1, 2],
    padding: [2, 0],
  },
  { title: "7×7 on 7×7", x: [2, 4, 7, 7], weight: [40, 7, 7], padding: [3, 3] },
  { title: "more than one tile", x: [2, 33, 8, 8], weight: [35, 3, 3], padding: [1, 1] },
  { title: "many images", x: [9, 4, 16, 16], weight: [9, 3, 3], padding: [1, 1] },
  { title: "pointwise", x: [2, 8, 4, 4], weight: [12, 1, 1] },
  { title: "pointwise, odd sizes", x: [3, 7, 5, 3], weight: [9, 1, 1] },
  { title: "pointwise, stride 2", x: [2, 6, 6, 6], weight: [4, 1, 1], stride: [2, 2] },
];

for (const { title, x, weight: size, ...given } of cases)
  test(`conv2d and its gradients: ${title}`, async () => {
    const geometry = { stride: [1, 1] as Pair, padding: [0, 0] as Pair, ...given };
    const [O, R, S] = size;
    const weight = [O, x[1], R, S];
    const y = conv2d(input("x", x), input("weight", weight), geometry).shape;
    for (const { name, options } of all) {
      const check = (op: string, build: Parameters<typeof checkKernel>[1], ...shapes: (readonly number[])[]) =>
        checkKernel(
          `${op} ${name}`,
          build,
          shapes.map((shape, i) => floats(shape, i + 1)),
          tolerances.sum,
          options,
        );
      await check("conv2d", (a, b) => conv2d(a, b, geometry), x, weight);
      await check("conv2dInputGrad", (a, b) => conv2dInputGrad(a, b, { ...geometry, size: [x[2], x[3]] }), y, weight);
      await check("conv2dWeightGrad", (a, b) => conv2dWeightGrad(a, b, { ...geometry, kernel: [R, S] }), x, y);
    }
  });

test.run();
