import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { WebGpuOptions } from "../../../backends/webgpu/mod.ts";
import { program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { type Shape, type Tensor, withStorage } from "../../../core/tensor/mod.ts";
import {
  checkKernel,
  closeTestBackends,
  floats,
  type Tolerance,
  testBackend,
  tolerances,
} from "../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./kernels/profiles.ts";

const test = suite("backends/webgpu/epilogue");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  all = await profiles();
});

type Build = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** Checks a program in every profile; `joined` is how many kernels end with an elementwise step where they can. */
async function check(
  name: string,
  build: Build,
  shapes: readonly Shape[],
  joined: number,
  tolerance: Tolerance = tolerances.sum,
  traits: WebGpuOptions["traits"] = {},
): Promise<void> {
  const inputs = shapes.map((shape, i) => floats(shape, i + 1));
  for (const { name: profile, options } of all) {
    const [{ dispatches }] = await checkKernel(`${name}, ${profile}`, build, inputs, tolerance, {
      ...options,
      traits: { ...options.traits, ...traits },
    });
    const ends = dispatches.filter(({ kernel }) => kernel.name.endsWith("+epilogue"));
    const can = profile === "subgroup8" ? 0 : joined;
    assert.is(ends.length, can, `${name}, ${profile}: ${dispatches.map(({ label }) => label)}`);
  }
}

const conv = (x: Tensor, w: Tensor) => ops.conv2d(x, w, { padding: [1, 1] });
const channels = (b: Tensor) => ops.reshape(b, [b.shape[0], 1, 1]);

test("bias, activation, scale and residual end a convolution", async () => {
  await check("bias", (x, w, b) => ops.add(conv(x, w), channels(b)), [[2, 3, 4, 6], [5, 3, 3, 3], [5]], 1);
  await check(
    "bias, silu, scale, residual",
    (x, w, b, r) => ops.add(ops.mul(ops.silu(ops.add(conv(x, w), channels(b))), 0.5), r),
    [[2, 3, 4, 6], [65, 3, 3, 3], [65], [2, 65, 4, 6]],
    1,
  );
});

test("so do they where the last pass moves or adds up what others have made", async () => {
  await check(
    "35 pixels",
    (x, w, b) => ops.silu(ops.add(conv(x, w), channels(b))),
    [[2, 3, 5, 7], [4, 3, 3, 3], [4]],
    1,
  );
  await check("a sum in chunks", (a, b, c) => ops.add(ops.matmul(a, b), c), [[3, 2311], [2311, 5], [5]], 1);
});

test("a product takes bias and activation, at odd sizes and in batches", async () => {
  const linear: Build = (a, b, c) => ops.gelu(ops.add(ops.matmul(a, b), c));
  await check("one element", linear, [[1, 1], [1, 1], [1]], 1);
  await check("7×13×5", linear, [[7, 13], [13, 5], [5]], 1);
  await check("67×9×130", linear, [[67, 9], [9, 130], [130]], 1);
  await check("a batch", linear, [[3, 2, 8, 16], [3, 1, 16, 12], [12]], 1);
});

test("a pointwise convolution is a product and ends like one", async () => {
  await check(
    "1×1",
    (x, w, b) => ops.silu(ops.add(ops.conv2d(x, w), channels(b))),
    [[2, 8, 4, 4], [12, 8, 1, 1], [12]],
    1,
  );
});

test("an epilogue may have several results", async () => {
  await check(
    "silu and its derivative",
    (a, b) => {
      const x = ops.matmul(a, b);
      const s = ops.sigmoid(x);
      return [ops.mul(x, s), ops.mul(s, ops.add(ops.mul(x, ops.sub(1, s)), 1))];
    },
    [
      [9, 7],
      [7, 11],
    ],
    1,
  );
});

test("a result that others read too stays a step of its own", async () => {
  await check(
    "an output",
    (a, b) => {
      const x = ops.matmul(a, b);
      return [x, ops.tanh(x)];
    },
    [
      [9, 7],
      [7, 11],
    ],
    0,
  );
  await check(
    "its transpose",
    (a, b) => {
      const x = ops.matmul(a, b);
      return [ops.tanh(x), ops.transpose(x)];
    },
    [
      [9, 7],
      [7, 11],
    ],
    0,
  );
  await check(
    "a part of it",
    (a, b) => {
      const x = ops.matmul(a, b);
      return ops.add(x, ops.view(ops.reshape(x, [99]), { offset: 0, shape: [11] }));
    },
    [
      [9, 7],
      [7, 11],
    ],
    0,
  );
});

test("a step that would bind more buffers than a kernel may stays alone", async () => {
  const shape = [6, 10];
  await check(
    "six more",
    (a, b, ...more) => more.reduce((sum, each) => ops.mul(sum, each), ops.matmul(a, b)),
    [[6, 4], [4, 10], ...Array.from({ length: 6 }, () => shape)],
    0,
    tolerances.sum,
    { maxStorageBuffers: 8 },
  );
});

test("what is read in place is written once", async () => {
  // The new value of the state goes over the old one, which the epilogue reads.
  for (const { name, options } of all) {
    const backend = await testBackend(options);
    const memory = backend.createMemory();
    const [state, a, b] = [ops.state("s", [67, 70]), ops.input("a", [67, 3]), ops.input("b", [3, 70])];
    const traced = program({
      name: "in place",
      updates: [[state, ops.add(state, ops.matmul(a, b))]],
    });
    const values = { s: floats([67, 70], 1), a: floats([67, 3], 2), b: floats([3, 70], 3) };
    memory.allocate("s", 67 * 70);
    memory.write("s", values.s.data);
    const executable = await backend.compile(traced, memory);
    for (let turn = 0; turn < 2; turn++) await executable.run({ a: values.a.data, b: values.b.data });
    const found = await memory.read("s");
    for (let m = 0; m < 67; m++)
      for (let n = 0; n < 70; n++) {
        let sum = values.s.data[m * 70 + n];
        for (let k = 0; k < 3; k++) sum += 2 * values.a.data[m * 3 + k] * values.b.data[k * 70 + n];
        assert.ok(Math.abs(found[m * 70 + n] - sum) < 1e-5, `${name}: ${m}, ${n}`);
      }
    executable.dispose();
    memory.dispose();
  }
});

test("operands and results may be kept in f16", async () => {
  const { traits } = await testBackend();
  if (!traits.f16) return console.log(`no f16 on ${traits.name}: not tested`);
  await check(
    "in f16",
    (x, w, b) =>
      withStorage("f16", () => {
        const [half, weight] = [ops.mul(x, 0.5), ops.mul(w, 0.5)];
        return ops.silu(ops.add(conv(half, weight), channels(b)));
      }),
    [[2, 3, 4, 6], [5, 3, 3, 3], [5]],
    1,
    tolerances.half,
  );
});

test.run();
