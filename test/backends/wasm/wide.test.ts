import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend, type WasmOptions } from "../../../backends/wasm/mod.ts";
import { grad, program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { noise } from "./kernels/runPlan.ts";

const test = suite("backends/wasm/wide");

/** A step of a small network of everything that has wide tiles, and its loss and weights after three. */
async function train(options: WasmOptions) {
  const backend = await WasmBackend.open(options);
  const memory = backend.createMemory();
  const weights = {
    first: ops.state("first", [13, 3, 3, 3]),
    down: ops.state("down", [24, 13, 3, 3]),
    point: ops.state("point", [24, 24, 1, 1]),
    scale: ops.state("scale", [24]),
    shift: ops.state("shift", [24]),
    last: ops.state("last", [24 * 70, 37]),
  };
  Object.entries(weights).forEach(([name, { shape }], i) => {
    const size = sizeOf(shape);
    memory.allocate(name, size);
    memory.write(
      name,
      noise(size, i + 1).map((value) => value / 4),
    );
  });
  const x = ops.input("x", [9, 3, 14, 20]);
  const y = ops.input("y", [9, 37]);
  let h = ops.silu(ops.conv2d(x, weights.first, { padding: [1, 1] }));
  h = ops.conv2d(h, weights.down, { padding: [1, 1], stride: [2, 2] });
  h = ops.groupNorm(h, weights.scale, weights.shift, { groups: 4, activation: "silu" });
  h = ops.add(h, ops.conv2d(h, weights.point, {}));
  const tokens = ops.transpose(ops.reshape(h, [9, 24, 70]), [0, 2, 1]);
  const mixed = ops.add(tokens, ops.attention(tokens, tokens, tokens));
  const out = ops.matmul(ops.reshape(mixed, [9, 24 * 70]), weights.last);
  const loss = ops.mean(ops.square(ops.sub(out, y)));
  const states = Object.values(weights);
  const gradients = grad(loss, states);
  const updates = states.map((w, i) => [w, ops.sub(w, ops.mul(gradients[i], 0.05))] as [typeof w, typeof w]);
  const step = await backend.compile(program({ name: "step", outputs: { loss }, updates }), memory);
  const losses: number[] = [];
  for (let i = 0; i < 3; i++) {
    await step.run({ x: noise(9 * 3 * 14 * 20, 20 + i), y: noise(9 * 37, 30 + i) });
    losses.push((await step.read("loss"))[0]);
  }
  const bits: number[] = [];
  for (const name of Object.keys(weights))
    bits.push(...new Int32Array(((await memory.read(name)) as Float32Array).slice().buffer));
  await backend.close();
  return { name: backend.info.name, tiles: backend.tiles, losses, bits };
}

test("training gives the same bits with both tile sets, on one to three threads", async () => {
  for (const relaxed of [true, false]) {
    const expected = await train({ threads: 1, wide: false, relaxed });
    assert.ok(expected.losses[2] < expected.losses[0] && expected.losses.every(Number.isFinite), `${expected.losses}`);
    for (const threads of [1, 2, 3])
      for (const wide of ["always", false] as const) {
        const actual = await train({ threads, wide, relaxed });
        assert.equal(actual.losses, expected.losses);
        assert.ok(actual.bits.every((value, i) => value === expected.bits[i]));
      }
    const shared = await train({ shared: false, wide: "always", relaxed });
    assert.ok(shared.bits.every((value, i) => value === expected.bits[i]));
  }
});

test("asking for wide tiles: they run where the engine joins vectors, else it says why", async () => {
  const asked = await train({ threads: 2, wide: true });
  const refused = await train({ threads: 2, wide: false });
  assert.equal(asked.losses, refused.losses);
  assert.is(asked.name.endsWith(", wide tiles"), asked.tiles.wide, asked.name);
  assert.equal(refused.tiles, { wide: false, reason: "wide ones are switched off" });
  assert.not.match(refused.name, /wide/);
  const reasons: [boolean, RegExp][] = [
    [Boolean(process.versions.deno), /^Deno has no 256-bit vectors, Node 24 has$/],
    [Number.parseInt(process.versions.v8, 10) < 13, /has no 256-bit vectors; from Node 24 on, wide ones are faster$/],
  ];
  const known = reasons.find(([applies]) => applies);
  if (known) {
    assert.is(asked.tiles.wide, false);
    assert.match(asked.tiles.reason, known[1]);
  } else assert.match(asked.tiles.reason, /×|optimise|arm64|not tested/);
});

test("the race leaves nothing in the memory", async () => {
  const backend = await WasmBackend.open({ wide: true });
  assert.is(backend.liveBytes, 0);
  await backend.close();
});

test.run();
