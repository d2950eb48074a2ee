import { test } from "uvu";
import * as assert from "uvu/assert";
import { type MatrixConfig, probeMatrices, probeOnce } from "../../../../backends/webgpu/adapter/matrixProbe.ts";
import { trialsOf } from "../../../../backends/webgpu/adapter/matrixTrial.ts";
import type { MatrixShape } from "../../../../backends/webgpu/subgroupMatrices.ts";
import { type FakeMatrices, fakeAdapter } from "./fakeMatrixAdapter.ts";

const config = (type: string, [M, N, K]: readonly number[]): MatrixConfig => {
  const [componentType, resultComponentType] = type.split("→");
  return { componentType, resultComponentType, M, N, K };
};
const metal = [config("f32→f32", [8, 8, 8]), config("f16→f16", [8, 8, 8])];
const both = [config("f16→f32", [16, 16, 16]), config("f32→f32", [8, 8, 8])];

type Layout = MatrixShape["layout"];
const uses = ["products", "convolutions", "attention"];
const f32 = (layout: Layout = "template") => ({ factors: "f32", M: 8, N: 8, K: 8, layout, uses });
const f16 = (layout: Layout = "template") => ({ factors: "f16", M: 16, N: 16, K: 16, layout, uses });

/** What the probe finds on an adapter, which must not be left with an open device. */
async function probe(fake: FakeMatrices) {
  const faked = fakeAdapter(fake);
  const { adapter } = faked;
  const found = await probeMatrices(adapter, async () => adapter);
  assert.is(faked.open(), 0);
  return { ...found, compiled: faked.products };
}

test("what computes as it should is on, in the current form of WGSL", async () => {
  const { matrices, matricesProblem, compiled } = await probe({ configs: both });
  assert.equal(matrices, [f32(), f16()]);
  assert.is(matricesProblem, undefined);
  assert.is(compiled.length, 2);
  assert.match(compiled[0], "alias Element = f32;");
  assert.match(compiled[1], /^enable f16; [\s\S]*const MATRIX_K = 16u;[\s\S]*alias Element = f16;/);
});

test("of several configurations the largest is tried, of those whose sums are in f32", async () => {
  const configs = [
    config("f16→f32", [16, 8, 8]),
    config("f16→f32", [16, 8, 16]),
    config("f16→f16", [32, 32, 16]),
    config("f16→f32", [16, 16, 32]), // deeper than a tile
  ];
  const { matrices } = await probe({ configs });
  assert.equal(matrices, [{ factors: "f16", M: 16, N: 8, K: 16, layout: "template", uses }]);
  assert.equal((await probe({ configs: metal })).matrices, [f32()]);
});

test("an adapter without the feature, or without shader-f16 for halves", async () => {
  const without = await probe({ features: ["shader-f16"], configs: both });
  assert.equal(without.matrices, []);
  assert.is(without.matricesProblem, "the adapter does not offer them");
  assert.is(without.compiled.length, 0);
  const features = ["chromium-experimental-subgroup-matrix"];
  assert.equal((await probe({ features, configs: both })).matrices, [f32()]);
});

test("no configuration that fits", async () => {
  const configs = [config("u8→u32", [8, 8, 32]), config("f16→f16", [8, 8, 8])];
  const { matrices, matricesProblem } = await probe({ configs });
  assert.equal(matrices, []);
  assert.is(matricesProblem, "the adapter offers only 8x8x32 u8→u32, 8x8x8 f16→f16");
  assert.is((await probe({})).matricesProblem, "the adapter offers no configuration");
});

test("where the compiler refuses one form of WGSL, the other is taken", async () => {
  const refuses = (code: string) => (code.includes("row_major") ? "unresolved value" : undefined);
  const { matrices, matricesProblem, compiled } = await probe({ configs: both, refuses });
  assert.equal(matrices, [f32("argument"), f16("argument")]);
  assert.is(matricesProblem, undefined);
  assert.match(compiled[1], "subgroupMatrixLoad<Left>(&rows, ");
  assert.match(compiled[1], "SIDE);\n");
  assert.match(compiled[1], /subgroupMatrixStore\(&stripes, at, .+, false, SIDE\);/);
});

test("where it refuses both, its first complaint is told", async () => {
  const refuses = (code: string) => `error: no ${code.includes("row_major") ? "new" : "old"}\nmore`;
  const { matrices, matricesProblem } = await probe({
    configs: [config("f32→f32", [8, 8, 8])],
    refuses,
  });
  assert.equal(matrices, []);
  assert.is(matricesProblem, "8x8x8 f32: error: no new");
});

test("wrong numbers turn off what gave them, and nothing else", async () => {
  const computes = (exact: number, code: string) => (code.startsWith("enable f16") ? exact + 0.5 : exact);
  const { matrices, matricesProblem } = await probe({ configs: both, computes });
  assert.equal(matrices, [f32()]);
  assert.match(matricesProblem ?? "", /^16x16x16 f16→f32: it computes wrong values: -?[\d.]+ instead of -?[\d.]+$/);
});

test("a kernel that is refused, or computes wrong, turns off its own use only", async () => {
  const refuses = (code: string) => (code.includes("// conv2dMatrix: ") ? "error: no vectors\nmore" : undefined);
  const refused = await probe({ configs: metal, refuses });
  assert.equal(refused.matrices, [{ ...f32(), uses: ["products", "attention"] }]);
  assert.is(refused.matricesProblem, "8x8x8 f32: no convolutions, error: no vectors");
  const computes = (exact: number, code: string) => (code.includes("// conv2dWeightGradMatrix: ") ? -exact : exact);
  const wrong = await probe({ configs: metal, computes });
  assert.equal(wrong.matrices, [{ ...f32(), uses: ["products", "attention"] }]);
  assert.match(
    wrong.matricesProblem ?? "",
    /^8x8x8 f32: no convolutions, it computes wrong values: \S+ instead of \S+$/,
  );
});

test("every kernel's numbers show sums in f16, and factors in TF32", () => {
  for (const shape of [f32(), f16()] as MatrixShape[])
    for (const [use, trials] of trialsOf(shape, 128))
      for (const { pass, expected, within } of trials) {
        const name = `${use}, ${pass.kernel}, ${shape.factors}`;
        assert.ok(
          expected.some((exact) => rounded(exact, 11) !== exact),
          name,
        );
        // Where there are quotients, they are the only ones that are rounded.
        assert.ok(within !== undefined || expected.every((exact) => Math.abs(exact) <= 2 ** 24), name);
      }
});

test("attention's numbers show scores in so few bits, and factors of weights and values", () => {
  const lossless = (x: number) => x;
  const half = (x: number) => rounded(x, 11);
  for (const shape of [f32(), f16()] as MatrixShape[]) {
    const [{ pass, inputs, expected, within = 0 }] = new Map(trialsOf(shape, 128)).get("attention")!;
    const { N, M, D, E, SCALE } = pass.dims as Record<string, number>;
    const worst = (factor: (x: number) => number, sum: (x: number) => number) => {
      const [q, k, v] = inputs.map((each) => Float64Array.from(each, factor));
      let error = 0;
      for (let n = 0; n < N; n++) {
        const scores = Array.from({ length: M }, (_, m) => {
          let s = 0;
          for (let d = 0; d < D; d++) s = sum(s + q[n * D + d] * k[m * D + d]);
          return SCALE * s;
        });
        const weights = scores.map((s) => Math.exp(s - Math.max(...scores)));
        const total = weights.reduce((a, b) => a + b);
        for (let e = 0; e < E; e++) {
          const result = weights.reduce((a, weight, m) => sum(a + weight * v[m * E + e]), 0) / total;
          error = Math.max(error, Math.abs(result / expected[n * E + e] - 1));
        }
      }
      return error;
    };
    assert.ok(worst(lossless, lossless) <= within);
    assert.ok(worst(lossless, half) > 100 * within);
    if (shape.factors === "f32") assert.ok(worst(half, lossless) > 100 * within);
  }
});

/** A number in so many bits. */
function rounded(exact: number, bits: number): number {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(exact) || 1)) + 1 - bits);
  return Math.round(exact / unit) * unit;
}

test("sums in f16, and factors in TF32 or of NaN, are wrong numbers", async () => {
  for (const computes of [(exact: number) => rounded(exact, 11), () => Number.NaN, () => 0])
    assert.equal((await probe({ configs: both, computes })).matrices, []);
});

test("a lost device, an adapter that is gone", async () => {
  const lost = await probe({ configs: [config("f32→f32", [8, 8, 8])], loses: true });
  assert.equal(lost.matrices, []);
  assert.is(lost.matricesProblem, "8x8x8 f32: the device was lost, it fell off the bus");
  const { adapter } = fakeAdapter({ configs: both });
  const gone = await probeMatrices(adapter, async () => null);
  assert.equal(gone.matrices, []);
  assert.match(gone.matricesProblem ?? "", "8x8x8 f32: the adapter is gone");
});

test("an adapter is tried once", async () => {
  const fake = fakeAdapter({ configs: both });
  const { adapter } = fake;
  const { adapter: plain } = fakeAdapter({ features: [] });
  const once = probeOnce("an adapter of this test");
  // Without the feature nothing is found out, for better or worse.
  assert.equal((await once(plain, async () => plain)).matrices, []);
  const all = await Promise.all([1, 2, 3].map(() => once(adapter, async () => adapter)));
  for (const { matrices } of all) assert.is(matrices.length, 2);
  assert.is(fake.products.length, 2);
});

test.run();
