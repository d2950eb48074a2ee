import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { program } from "../../../core/graph/mod.ts";
import type { Backend } from "../../../core/interfaces/mod.ts";
import {
  encodeSafetensors,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  openTensors,
  type StoredTensor,
  toFloat32,
} from "../../../core/io/mod.ts";
import {
  conv,
  FrozenNetwork,
  frozenSource,
  frozenWeights,
  layoutOf,
  linear,
  loadFrozen,
  misfits,
  type Scope,
  weightsHash,
} from "../../../core/nn/mod.ts";
import { add, input, mean, mul, reshape, state } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";
import { numbers } from "../../plugins/support.ts";

const test = suite("core/nn/weightSource");

const backends: Backend[] = [
  new ReferenceBackend(),
  await WasmBackend.open({ poison: true }),
  await WasmBackend.open({ threads: 1, relaxed: false }),
  await WasmBackend.open({ shared: false }),
];

/** Convolutions of all kinds, products of few rows and of many, and a table that is added, at odd sizes. */
function apply(scope: Scope, { x }: Readonly<Record<string, Tensor>>) {
  const [B, C, H, W] = x.shape;
  const winograd = conv(scope.at("winograd"), x, 9);
  const strided = conv(scope.at("strided"), winograd, 7, { stride: 2 });
  const pointwise = conv(scope.at("pointwise"), strided, 5, { kernel: 1 });
  const rows = reshape(x, [B * C * H, W]);
  const many = linear(scope.at("many"), rows, 11);
  const few = linear(scope.at("few"), mean(many, { axes: [0], keepDims: true }), 13);
  const table = scope.parameter("table", [C, W], { kind: "normal", deviation: 1 });
  return { pointwise, many, few, added: add(mul(x, 2), reshape(table, [C, 1, W])) };
}
const SHAPE = [3, 11, 17, 19];
const inputs = { x: { shape: SHAPE.slice(1) } };
const declare = (scope: Scope) => void apply(scope, { x: input("x", SHAPE) });

test("tensors that follow from options are read, and told where they contradict them", async () => {
  const layout = layoutOf((scope) => {
    scope.parameter("bias", [2], { kind: "normal", deviation: 1 });
    scope.derived("filter", [2], () => [0.25, 0.75]);
  });
  const source = (values: number[]) => {
    const tensor: StoredTensor = { dtype: "F32", shape: [2], data: Float32Array.from(values) };
    return { ...tensor, read: () => tensor };
  };
  const bias = source([1, 2]);
  assert.equal(await misfits(layout, { bias, filter: source([0.25, 0.75]) }), []);
  assert.equal(await misfits(layout, { bias }), []);
  const [wrong] = await misfits(layout, { bias, filter: source([0.5, 0.5]) });
  assert.match(wrong, /^filter .*0\.5.* is not that of the options, .*0\.25/);
});

/** A file of halves: subnormal numbers, zeros of both signs and the largest among them. */
function fileOf(dtype: "F16" | "BF16") {
  const narrowed = dtype === "F16" ? float32ToFloat16 : float32ToBfloat16;
  const tensors = layoutOf(declare).entries.map(({ name, shape }, i): [string, StoredTensor] => {
    const data = narrowed(numbers([...shape], i).map((value) => value / 8));
    data.set(dtype === "F16" ? [0x0001, 0x8001, 0x03ff, 0x8000, 0x0400] : [0x0001, 0x8001, 0x007f, 0x8000, 0x0080]);
    return [name, { dtype, shape, data } as StoredTensor];
  });
  return Object.fromEntries(tensors);
}

for (const dtype of ["F16", "BF16"] as const)
  test(`weights of a file in ${dtype} give the bits of widened ones, in half the bytes`, async () => {
    const file = fileOf(dtype);
    const files = memoryFiles({ "a.safetensors": encodeSafetensors(file) });
    const entries = await openTensors(files, "a.safetensors");
    const wide = Object.fromEntries(
      Object.entries(file).map(([name, tensor]) => [name, { shape: tensor.shape, data: toFloat32(tensor) }]),
    );
    const x = numbers([...SHAPE], 99);
    for (const backend of backends) {
      const outputs = [];
      const bytes = [];
      for (const weights of [frozenWeights("w", declare, wide, "f32"), frozenSource("w", declare, entries, "a file")]) {
        const before = backend.liveBytes;
        const network = await FrozenNetwork.open(backend, { weights, inputs, apply, batch: SHAPE[0] });
        outputs.push(await network.run({ x }));
        network.dispose();
        const memory = backend.createMemory();
        for (const [arena, size] of weights.layout.arenas.entries())
          memory.allocate(`${arena}`, size, weights.layout.storages?.[arena]);
        bytes.push(memory.bytes);
        memory.dispose();
        assert.is(backend.liveBytes, before);
      }
      assert.equal(outputs[1], outputs[0], backend.info.name);
      if (backend.info.backend === "wasm") assert.ok(bytes[1] < 0.75 * bytes[0], `${bytes}`);
    }
  });

test("one tensor is in memory at a time, and each is read once", async () => {
  const file = fileOf("F16");
  const order: string[] = [];
  const sources = Object.fromEntries(
    Object.entries(file).map(([name, tensor]) => {
      const read = () => {
        order.push(name);
        return tensor;
      };
      return [name, { ...tensor, read }];
    }),
  );
  const [, backend] = backends;
  const memory = backend.createMemory();
  const written: string[] = [];
  const watched = new Proxy(memory, {
    get(target, key) {
      if (key === "write") written.push(`${order.length}`);
      const value = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const weights = frozenSource("w", declare, sources, "a test");
  await loadFrozen(watched, weights);
  assert.equal(
    order,
    weights.layout.entries.map(({ name }) => name),
  );
  assert.equal(
    written,
    order.map((_, i) => `${i + 1}`),
  );
  memory.dispose();
});

test("what is read to its place stays there when the memory grows meanwhile", async () => {
  for (const backend of backends.slice(1)) {
    const files = memoryFiles({ "a.safetensors": encodeSafetensors(fileOf("F16")) });
    const growing = {
      ...files,
      async readRange(path: string, offset: number, length: number, into?: Uint8Array) {
        const bytes = await files.readRange(path, offset, length);
        into?.set(bytes);
        backend.createMemory().allocate("other", 2 ** 18);
        return into ?? bytes;
      },
    };
    const held = async (given: typeof growing) => {
      const weights = frozenSource("w", declare, await openTensors(given, "a.safetensors"), "a file");
      const memory = backend.createMemory();
      await loadFrozen(memory, weights);
      const values = [];
      for (const name of memory.names()) values.push(await memory.read(name));
      memory.dispose();
      return values;
    };
    assert.equal(await held(growing), await held(files as typeof growing));
  }
});

test("the hash is that of the tensors, one after another", async () => {
  const [one, other] = ["F16", "F16"].map((dtype) => fileOf(dtype as "F16"));
  const sourceOf = (file: Record<string, StoredTensor>) =>
    frozenSource(
      "w",
      declare,
      Object.fromEntries(Object.entries(file).map(([name, tensor]) => [name, { ...tensor, read: () => tensor }])),
      "a test",
    );
  assert.is(await weightsHash(sourceOf(one)), await weightsHash(sourceOf(other)));
  (other["many.bias"].data as Uint16Array)[3] ^= 1;
  assert.is.not(await weightsHash(sourceOf(one)), await weightsHash(sourceOf(other)));
});

test("refuses by name what is no finite number, or no number at all", async () => {
  const [, backend] = backends;
  const fault = async (name: string, tensor: Partial<StoredTensor>, at?: number, bits = 0) => {
    const file = fileOf("F16");
    file[name] = { ...file[name], ...tensor } as StoredTensor;
    if (at !== undefined) (file[name].data as Uint16Array)[at] = bits;
    const sources = Object.fromEntries(Object.entries(file).map(([key, each]) => [key, { ...each, read: () => each }]));
    const memory = backend.createMemory();
    const error = await rejected(
      Promise.resolve().then(() => loadFrozen(memory, frozenSource("net", declare, sources, "a file"))),
    );
    memory.dispose();
    return error.message;
  };
  const infinite = "holds NaN or infinity, should hold finite numbers";
  for (const [at, bits] of [
    [0, 0x7c00],
    [1, 0xfc00],
    [4, 0x7e01],
    [11 * 19 - 1, 0x7c00],
  ])
    assert.is(await fault("many.weight", {}, at, bits), `Cannot load net from a file: many.weight ${infinite}`);
  assert.is(await fault("many.bias", {}, 10, 0xff00), `Cannot load net from a file: many.bias ${infinite}`);
  assert.is(
    await fault("many.bias", { dtype: "I32", data: new Int32Array(11) } as Partial<StoredTensor>),
    "Cannot load net from a file: many.bias is I32, should be one of F64, F32, F16, BF16, F8_E4M3, F8_E5M2",
  );
  assert.match(await fault("few.weight", { shape: [3, 4] }), /few.weight is \[3, 4\], expected \[13, 11\]/);
});

test("a state in halves takes parts and whole, bits and numbers, and gives numbers", async () => {
  for (const backend of backends) {
    const memory = backend.createMemory();
    memory.allocate("s", 5, "f16");
    memory.write("s", Float32Array.of(1, 2 + 2 ** -12, 3, 4, 5));
    memory.write("s", Uint16Array.of(0x3800, 0x0001), 2);
    assert.equal([...(await memory.read("s"))], [1, 2, 0.5, 2 ** -24, 5]);
    const s = state("s", [5], "f32", "f16");
    const run = await backend.compile(program({ name: "read", outputs: { copy: s, twice: mul(s, 2) } }), memory);
    await run.run();
    assert.equal([...(await run.read("copy"))], [1, 2, 0.5, 2 ** -24, 5]);
    assert.equal([...(await run.read("twice"))], [2, 4, 1, 2 ** -23, 10]);
    assert.throws(() => memory.write("s", new Uint16Array(3), 3), /3 elements from 3 on do not fit, it has 5/);
    assert.throws(() => memory.write("s", new Uint16Array(3)), /3 elements, expected 5/);
    run.dispose();
    memory.dispose();
  }
});

test("every half is widened on the device as on the host", async () => {
  const [, backend] = backends;
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((each) => (each & 0x7c00) !== 0x7c00);
  const memory = backend.createMemory();
  memory.allocate("s", bits.length, "f16");
  memory.write("s", bits);
  const run = await backend.compile(
    program({ name: "read", outputs: { y: mul(state("s", [bits.length], "f32", "f16"), 1) } }),
    memory,
  );
  await run.run();
  const found = new Uint32Array((await run.read("y")).buffer);
  assert.equal(found, new Uint32Array(float16ToFloat32(bits).buffer));
  run.dispose();
  memory.dispose();
});

test.after(async () => {
  for (const backend of backends) await backend.close();
});
test.run();
