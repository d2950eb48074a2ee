import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { failure } from "../../../core/errors.ts";
import { program } from "../../../core/graph/mod.ts";
import type { Backend } from "../../../core/interfaces/mod.ts";
import {
  type FrozenDefinition,
  FrozenNetwork,
  frozenScope,
  frozenWeights,
  linear,
  type Rows,
  type Scope,
  storeFrozen,
  weightsHash,
} from "../../../core/nn/mod.ts";
import { concat, input, mul, reshape, silu, toFloat } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { thrown } from "../../helpers/thrown.ts";
import { numbers } from "../../plugins/support.ts";

const test = suite("core/nn/frozen");

const backends: Backend[] = [new ReferenceBackend(), await WasmBackend.open()];

/** x [B, 2, 3] and label [B] → inner [B, 5] and outer [B, 2]. */
function apply(scope: Scope, { x, label }: Readonly<Record<string, Tensor>>) {
  const B = x.shape[0];
  const flat = concat([reshape(x, [B, 6]), reshape(toFloat(label), [B, 1])], 1);
  const inner = silu(linear(scope.at("in"), flat, 5));
  return { inner, outer: linear(scope.at("out"), inner, 2) };
}
const inputs: FrozenDefinition["inputs"] = {
  x: { shape: [2, 3] },
  label: { shape: [], dtype: "i32" },
};
const declare = (scope: Scope) => void apply(scope, { x: input("x", [1, 2, 3]), label: input("label", [1], "i32") });

const tensors = {
  "in.weight": { shape: [5, 7], data: numbers([5, 7]) },
  "in.bias": { shape: [5], data: numbers([5], 1) },
  "out.weight": { shape: [2, 5], data: numbers([2, 5], 2) },
  "out.bias": { shape: [2], data: numbers([2], 3) },
};
const weights = frozenWeights("small", declare, tensors, "a file");
const open = (backend: Backend, batch: number) => FrozenNetwork.open(backend, { weights, inputs, apply, batch });

/** Rows 0 to `count`. */
const rowsOf = (count: number): Rows => ({
  x: numbers([count, 2, 3]),
  label: Int32Array.from({ length: count }, (_, i) => i % 3),
});
const part = ({ x, label }: Rows, first: number, end: number): Rows => ({
  x: x.subarray(6 * first, 6 * end),
  label: label.subarray(first, end),
});

/** What the network makes of a row, in f64. */
function byHand({ x, label }: Rows, row: number) {
  const flat = [...x.subarray(6 * row, 6 * row + 6), label[row]];
  const layer = (name: "in" | "out", from: number[]) =>
    [...tensors[`${name}.bias`].data].map((bias, i) =>
      from.reduce((sum, each, j) => sum + each * tensors[`${name}.weight`].data[i * from.length + j], bias),
    );
  const inner = layer("in", flat).map((each) => each / (1 + Math.exp(-each)));
  return { inner, outer: layer("out", inner) };
}

test("frozenWeights: every missing and mis-shaped name at once; others are passed over", () => {
  const { "in.bias": _, "out.bias": __, ...some } = tensors;
  const error = thrown(() =>
    frozenWeights(
      "small",
      declare,
      { ...some, "out.weight": { shape: [5, 2], data: numbers([10]) }, extra: tensors["in.bias"] },
      "net.safetensors",
    ),
  );
  assert.is(error.code, "E_CHECKPOINT");
  assert.is(
    error.message,
    "Cannot load small from net.safetensors: missing in.bias; out.weight is [5, 2], expected [2, 5]; missing out.bias",
  );
  const extra = { ...tensors, extra: tensors["in.bias"] };
  assert.equal(frozenWeights("small", declare, extra, "a file"), weights);
});

for (const backend of backends) {
  const device = backend.info.backend;

  test(`FrozenNetwork: every row through the network, on ${device}`, async () => {
    const network = await open(backend, 4);
    const rows = rowsOf(7);
    const { inner, outer } = await network.run(rows);
    assert.equal([inner.length, outer.length], [35, 14]);
    for (let row = 0; row < 7; row++) {
      const wanted = byHand(rows, row);
      for (const [found, right] of [
        [inner.subarray(5 * row, 5 * row + 5), wanted.inner],
        [outer.subarray(2 * row, 2 * row + 2), wanted.outer],
      ] as const)
        for (const [i, each] of right.entries())
          assert.ok(Math.abs(found[i] - each) < 1e-5, `row ${row}: ${found[i]}, ${each}`);
    }
    network.dispose();
  });

  test(`FrozenNetwork: the same bits in portions of any size, on ${device}`, async () => {
    for (const batch of [1, 4, 5, 32]) {
      const network = await open(backend, batch);
      for (const count of [1, 3, 4, 5, 13]) {
        const rows = rowsOf(count);
        const whole = await network.run(rows);
        for (const size of [1, 2, 3, 7]) {
          const stream = network.stream();
          for (let first = 0; first < count; first += size)
            await stream.take(part(rows, first, Math.min(count, first + size)));
          await stream.take(part(rows, 0, 0));
          assert.equal(await stream.end(), whole, `${count} by ${size}, ${batch} at a time`);
        }
      }
      network.dispose();
    }
  });

  test(`FrozenNetwork: holds its weights once, and nothing after dispose, on ${device}`, async () => {
    const before = backend.liveBytes;
    const network = await open(backend, 8);
    const held = backend.liveBytes;
    assert.ok(held - before >= 4 * weights.layout.arenas[0], `${held - before}`);
    for (const count of [3, 20, 20]) await network.run(rowsOf(count));
    assert.is(backend.liveBytes, held, "whatever it is shown");
    network.dispose();
    assert.is(backend.liveBytes, before);
  });
}

test("FrozenNetwork: a network that does not compile leaves nothing behind", async () => {
  const backend = new ReferenceBackend();
  backend.compile = () => Promise.reject(failure("E_DEVICE_LIMIT", "Cannot compile: too large"));
  const error = await open(backend, 8).catch((reason) => reason);
  assert.is(error.code, "E_DEVICE_LIMIT");
  assert.is(backend.liveBytes, 0);
});

test("storeFrozen: programs over one memory share the weights", async () => {
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  storeFrozen(memory, weights);
  const { bytes } = memory;
  storeFrozen(memory, weights);
  assert.equal(memory.names(), ["frozen.small.0"]);
  assert.is(memory.bytes, bytes, "stored twice they are still there once");
  const rows = rowsOf(2);
  const x = { x: input("x", [2, 2, 3]), label: input("label", [2], "i32") };
  const { inner, outer } = apply(frozenScope(weights), x);
  for (const [name, y] of [
    ["inner", inner],
    ["outer", outer],
  ] as const) {
    const run = await backend.compile(program({ name, outputs: { y } }), memory);
    await run.run(rows);
    const wanted = [0, 1].flatMap((row) => byHand(rows, row)[name]);
    for (const [i, each] of (await run.read("y")).entries()) assert.ok(Math.abs(each - wanted[i]) < 1e-5);
  }
});

test("close", () => backends[1].close());

test("streams that are open together keep their rows apart", async () => {
  for (const backend of backends) {
    const network = await open(backend, 4);
    const [first, second] = [rowsOf(10), rowsOf(7)];
    second.x.fill(0.25);
    const alone = [await network.run(first), await network.run(second)];
    const streams = [network.stream(), network.stream()];
    // None waits for the other: batches of both are under way at once.
    const taken = [first, second].map((rows, i) => streams[i].take(rows).then(() => streams[i].end()));
    assert.equal(await Promise.all(taken), alone, backend.info.backend);
    network.dispose();
  }
});

test("frozenWeights: numbers that are not finite are refused", () => {
  const broken = { ...tensors, "in.bias": { shape: [5], data: new Float32Array(5).fill(Number.NaN) } };
  assert.match(
    thrown(() => frozenWeights("small", declare, broken, "a file")).message,
    /^Cannot load small from a file: .*NaN/,
  );
});

test("the fingerprint tells weights and programs apart, and nothing else", async () => {
  const of = async (definition: Partial<FrozenDefinition>) => {
    const network = await FrozenNetwork.open(backends[0], { weights, inputs, apply, batch: 2, ...definition });
    const text = await network.fingerprint();
    network.dispose();
    return text;
  };
  const twice = { ...tensors, "in.bias": { shape: [5], data: numbers([5], 1).map((value) => 2 * value) } };
  const first = await of({});
  assert.is(await of({}), first);
  assert.is(await weightsHash(weights), await weightsHash(frozenWeights("small", declare, tensors, "another file")));
  const others = [
    { weights: frozenWeights("small", declare, twice, "a file") },
    { apply: (scope: Scope, given: Readonly<Record<string, Tensor>>) => ({ inner: apply(scope, given).inner }) },
    {
      apply(scope: Scope, given: Readonly<Record<string, Tensor>>) {
        const { inner, outer } = apply(scope, given);
        return { inner: mul(inner, 2), outer };
      },
    },
  ];
  for (const other of others) assert.is.not(await of(other), first);
});

test.run();
