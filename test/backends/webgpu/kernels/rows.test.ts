import { suite } from "uvu";
import { normalize, softmax } from "../../../../core/ops/mod.ts";
import { normalizeGrad } from "../../../../core/ops/normalize.ts";
import { checkKernel, closeTestBackends, floats, tolerances } from "../../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./profiles.ts";

const test = suite("backends/webgpu/kernels/rows");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  all = (await profiles()).filter(({ has }) => has("softmax"));
});

const shapes = [[1], [3, 1], [5, 4], [7, 5], [2, 3, 100], [16, 1024], [5, 127], [2, 4099]];

for (const shape of shapes)
  test(`normalize, its gradient and softmax: [${shape.join(", ")}]`, async () => {
    for (const { name, options } of all) {
      if (name === "subgroup8" && shape[shape.length - 1] % 4) continue;
      const x = floats(shape, 1);
      const dy = floats(shape, 2);
      // The mean is 1000 times the deviation, which leaves four digits of x.
      const far = floats(shape, 3, 99.9, 100.1);
      const [wide] = [floats(shape, 4, -1e4, 1e4)];
      const { sum, exponential } = tolerances;
      await checkKernel(`normalize ${name}`, (a) => normalize(a, { eps: 1e-5 }), [x], sum, options);
      await checkKernel(`normalize far ${name}`, (a) => normalize(a, { eps: 1e-5 }), [far], sum, options);
      for (const each of [x, far])
        await checkKernel(
          `normalizeGrad ${name}`,
          (a, b) => normalizeGrad(a, b, { eps: 1e-5 }),
          [each, dy],
          { ...sum, ofLargest: 1e-4 }, // two differences of nearly equal numbers
          options,
        );
      await checkKernel(`softmax ${name}`, (a) => softmax(a), [x], exponential, options);
      await checkKernel(`softmax wide ${name}`, (a) => softmax(a), [wide], exponential, options);
    }
  });

test("softmax: short rows, one lane each", async () => {
  for (const shape of [
    [1, 1],
    [70, 10],
    [3, 31],
  ])
    await checkKernel("softmax lanes", (a) => softmax(a), [floats(shape)], tolerances.exponential, {
      variants: { softmax: "lanes" },
    });
});

test("normalize: more rows than one dimension of a grid", async () => {
  for (const { options } of all)
    await checkKernel("normalize", (a) => normalize(a), [floats([70000, 4])], tolerances.sum, options);
});

test.run();
