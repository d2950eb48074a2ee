import { suite } from "uvu";
import * as assert from "uvu/assert";
import { attentionGrad as lowering } from "../../../../backends/webgpu/kernels/attentionGrad.ts";
import { program } from "../../../../core/graph/mod.ts";
import { attentionGrad, attentionGradParts, input, mul } from "../../../../core/ops/mod.ts";
import { type Tensor, withStorage } from "../../../../core/tensor/mod.ts";
import { checkKernel, closeTestBackends, floats, testBackend, tolerances } from "../../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./profiles.ts";

const test = suite("backends/webgpu/kernels/attentionGrad");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  all = (await profiles()).filter(({ has }) => has("attentionGrad"));
});

/** dq, dk and dv of a scale that gives the probabilities some contrast. */
function gradients(...[q, k, v, o, dy]: Tensor[]): Tensor[] {
  const flat = attentionGrad(q, k, v, o, dy, { scale: 3 / Math.sqrt(q.shape[2]) });
  const { dq, dk, dv } = attentionGradParts(flat, q.shape, v.shape);
  return [dq, dk, dv];
}

const operands = (B: number, N: number, M: number, D: number, E: number) => [
  floats([B, N, D], 1),
  floats([B, M, D], 2),
  floats([B, M, E], 3),
  floats([B, N, E], 4),
  floats([B, N, E], 5),
];

for (const [B, N, M, D, E] of [
  [1, 1, 1, 1, 1],
  [2, 5, 7, 3, 4],
  [3, 64, 64, 32, 32],
  [1, 70, 33, 40, 17],
  [2, 33, 130, 16, 72],
  [1, 1, 77, 8, 8],
  [1, 36, 4, 130, 68],
])
  test(`[${B}, ${N}, ${D}] at [${B}, ${M}, ${D}] and [${B}, ${M}, ${E}]`, async () => {
    for (const { name, options } of all)
      await checkKernel(
        `attentionGrad ${name}`,
        gradients,
        operands(B, N, M, D, E),
        // Slopes are differences of sums, weighed and added up once more.
        { ...tolerances.sum, absolute: 1e-5 },
        options,
      );
  });

test("operands kept in f16", async () => {
  for (const { name, options } of all)
    await checkKernel(
      `attentionGrad ${name} in f16`,
      (...x) => withStorage("f16", () => gradients(...x.map((each) => mul(each, 0.5)))),
      operands(2, 40, 36, 8, 12),
      tolerances.half,
      options,
    );
});

test("the same bits in every run", async () => {
  for (const { name, options } of all) {
    const run = () =>
      checkKernel(`attentionGrad ${name}`, gradients, operands(2, 67, 45, 24, 20), tolerances.sum, options);
    const [first, second] = [await run(), await run()];
    for (const [i, { actual }] of first.entries()) assert.equal(actual, second[i].actual, name);
  }
});

test("in tiles, nothing of the size of the probabilities is kept", async () => {
  const [tiles] = all.filter(({ name }) => name === "hardware");
  const operandsOf = ["q", "k", "v", "o", "dy"].map((name) => input(name, [4, 256, 16]));
  const [dq, dk, dv] = gradients(...operandsOf);
  const traced = program({ name: "gradients", outputs: { dq, dk, dv } });
  const { planned, added } = (await testBackend(tiles.options)).footprint(traced);
  // q, k, v, o, dy, the gradients as computed and as read, and two numbers a query.
  const rows = 4 * 256;
  assert.ok(planned + added <= 4 * rows * (11 * 16 + 2) + 4096, `${planned} + ${added} bytes`);
});

test("software adapters keep probabilities of up to 64 MiB", async () => {
  const { traits } = await testBackend();
  const preferred = (N: number) => {
    const x = input("x", [4, N, 8]);
    const node = attentionGrad(x, x, x, x, x, { scale: 1 });
    return lowering.variants.find((variant) => variant.supports(node, traits))?.name;
  };
  if (!traits.software) return console.log(`${traits.name} is no software adapter`);
  assert.is.not(preferred(2048), "tiles");
  assert.is(preferred(2049), "tiles");
});

test.run();
