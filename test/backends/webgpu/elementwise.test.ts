import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { Shape, Tensor } from "../../../core/tensor/mod.ts";
import { checkKernel, closeTestBackends, floats, testBackend, tolerances } from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/elementwise");
test.after(closeTestBackends);

const { pointwise, exact } = tolerances;

test("broadcasting over every mixture of axes, up to five", async () => {
  const pairs: [Shape, Shape][] = [
    [
      [2, 3, 4, 5, 6],
      [3, 1, 5, 1],
    ],
    [
      [2, 1, 4, 1, 6],
      [1, 3, 1, 5, 1],
    ],
    [[2, 3, 4, 5, 8], [8]],
    [
      [2, 3, 4, 5, 8],
      [5, 1],
    ],
    [
      [2, 3, 4, 5, 8],
      [2, 1, 1, 1, 1],
    ],
    [
      [2, 3, 4, 5, 8],
      [2, 1, 4, 1, 8],
    ],
    [
      [2, 3, 4, 5, 7],
      [2, 1, 4, 1, 7],
    ],
    [[7], [5, 1]],
    [[1], [1, 1, 1]],
    [[], [3]],
    [
      [13, 1],
      [1, 17],
    ],
    [
      [16, 1],
      [1, 20],
    ],
    [
      [64, 32, 1, 1],
      [1, 32, 3, 3],
    ],
  ];
  for (const [a, b] of pairs)
    await checkKernel(`[${a}] - [${b}]`, (x, y) => ops.sub(x, y), [floats(a), floats(b, 2)], exact);
});

test("three operands, each broadcast along other axes", async () => {
  const sum = (x: Tensor, y: Tensor, z: Tensor) => ops.add(ops.mul(x, y), z);
  const shapes = [
    [4, 1, 6, 8],
    [5, 1, 8],
    [4, 5, 1, 1],
  ];
  await checkKernel(
    "x y + z",
    sum,
    shapes.map((s, i) => floats(s, i + 1)),
    pointwise,
  );
  await checkKernel(
    "x y + z",
    sum,
    shapes.map((s, i) => floats([3, ...s.slice(-2)].slice(i), i)),
    pointwise,
  ).catch((error: Error) => assert.match(error.message, "broadcast"));
});

test("several outputs and a scalar operand come from one dispatch", async () => {
  const many = (x: Tensor, s: Tensor) => {
    const a = ops.mul(x, s);
    const b = ops.add(a, 1);
    return [a, b, ops.square(b), ops.greater(b, a)];
  };
  for (const size of [1, 5, 8, 1023, 70_000]) {
    const found = await checkKernel("many", many, [floats([size]), floats([], 2)], pointwise);
    assert.is(found[0].dispatches.length, 1);
  }
});

test("the same expression over other shapes is compiled once", async () => {
  const device = await testBackend();
  const before = device.pipelines;
  const odd = (x: Tensor, y: Tensor) => ops.sub(ops.mul(x, 0.123), y);
  for (const [rows, columns] of [
    [4, 8],
    [12, 64],
    [100, 4],
  ])
    await checkKernel("rows", odd, [floats([rows, columns]), floats([columns], 2)], pointwise);
  assert.is(device.pipelines - before, 1);
});

test("parts of one state at any offset share a binding", async () => {
  const device = await testBackend();
  const memory = device.createMemory();
  memory.allocate("arena", 200);
  const data = floats([200]);
  memory.write("arena", data.data);
  const arena = ops.state("arena", [200]);
  const part = (offset: number, shape: Shape) => ops.view(arena, { offset, shape });
  const sum = ops.add(ops.mul(part(64, [2, 8]), part(131, [8])), part(3, []));
  const run = await device.compile(program({ name: "parts", outputs: { sum } }), memory);
  assert.is(run.dispatches[0].bindings.length, 2);
  await run.run();
  const found = await run.read("sum");
  for (let i = 0; i < 16; i++) {
    const expected = data.data[64 + i] * data.data[131 + (i % 8)] + data.data[3];
    assert.ok(Math.abs(found[i] - expected) < 1e-6);
  }
  run.dispose();
  memory.dispose();
});

test("states are updated in place, also from one another, with odd sizes", async () => {
  const device = await testBackend();
  for (const size of [1, 7, 64, 1001]) {
    const memory = device.createMemory();
    const names = ["p", "m", "v"];
    for (const [i, name] of names.entries()) {
      memory.allocate(name, size);
      memory.write(name, floats([size], i + 1).data);
    }
    const [p, m, v] = names.map((name) => ops.state(name, [size]));
    const g = ops.input("g", [size]);
    const newM = ops.add(ops.mul(m, 0.9), g);
    const newV = ops.add(ops.mul(v, 0.5), ops.square(p));
    const update = program({
      name: "update",
      updates: [
        [m, newM],
        [v, newV],
        [p, ops.sub(p, ops.mul(newM, newV))],
      ],
    });
    const run = await device.compile(update, memory);
    assert.is(run.dispatches.length, 1);
    assert.is(run.dispatches[0].bindings.length, 4);
    const [hp, hm, hv] = names.map((_, i) => Float64Array.from(floats([size], i + 1).data));
    for (let step = 0; step < 3; step++) {
      const gradient = floats([size], 10 + step).data as Float32Array;
      await run.run({ g: gradient });
      for (let i = 0; i < size; i++) {
        hm[i] = 0.9 * hm[i] + gradient[i];
        hv[i] = 0.5 * hv[i] + hp[i] ** 2;
        hp[i] -= hm[i] * hv[i];
      }
    }
    const result = await memory.read("p");
    for (let i = 0; i < size; i++) assert.ok(Math.abs(result[i] - hp[i]) < 1e-5 * (1 + Math.abs(hp[i])));
    run.dispose();
    memory.dispose();
  }
});

test("a chain larger than a binding runs in parts; one that broadcasts says why it can't", async () => {
  const options = { traits: { maxBinding: 4096 } };
  const found = await checkKernel(
    "large",
    (x, y) => ops.add(ops.mul(x, 2), ops.neg(y)),
    [floats([5003]), floats([5003], 2)],
    pointwise,
    options,
  );
  assert.ok(found[0].dispatches.length > 4);
  try {
    const shapes = [floats([2000, 2]), floats([2], 2)];
    await checkKernel("wide", (x, y) => ops.add(x, y), shapes, exact, options);
    assert.unreachable();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    assert.is(code, "E_DEVICE_LIMIT");
    assert.match(message, /Cannot compile wide: input "x0" \[2000, 2\] needs 15.63 KiB in one binding/);
  }
});

test.run();
