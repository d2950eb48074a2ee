import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad, program } from "../../../core/graph/mod.ts";
import { input, mul, reshape, slice, split, sum, transpose } from "../../../core/ops/mod.ts";
import { agree } from "../../backends/wasm/compare.ts";

const test = suite("core/graph/rewriteParts");

const opsOf = (outputs: Parameters<typeof program>[0]["outputs"]) =>
  program({ name: "parts", outputs }).nodes.map(({ op }) => op.name);

test("a slice of leading elements is a view where a kernel can start, and a copy elsewhere", () => {
  const x = input("x", [4, 2, 64]);
  assert.not(opsOf({ y: mul(slice(x, { axis: 0, start: 1, end: 3 }), 2) }).includes("slice"));
  assert.not(opsOf({ y: mul(slice(reshape(x, [1, 512]), { axis: 1, start: 64, end: 70 }), 2) }).includes("slice"));
  assert.ok(opsOf({ y: mul(slice(x, { axis: 1, start: 1, end: 2 }), 2) }).includes("slice"));
  const odd = input("odd", [4, 5]);
  assert.ok(opsOf({ y: mul(slice(odd, { axis: 0, start: 1, end: 3 }), 2) }).includes("slice"));
});

test("gradients of the parts of a split are joined, without zeros and sums", () => {
  const x = input("x", [3, 2, 32]);
  const [q, k, v] = split(x, 3, 0);
  const [dx] = grad(sum(mul(mul(q, k), v)), [x]);
  const names = opsOf({ dx });
  assert.not(names.includes("pad"));
  assert.not(names.includes("add"));
});

for (const axis of [0, 1, 2])
  test(`same numbers: parts of axis ${axis}, some of them unused`, () =>
    agree(
      { x: { shape: [6, 6, 64 * 3] }, y: { shape: [6, 6, 64 * 3] } },
      ({ x, y }) => {
        const parts = split(x, 3, axis);
        const others = split(y, 6, axis);
        const loss = sum(mul(mul(parts[0], parts[2]), mul(parts[2], parts[1])));
        const partial = sum(mul(others[4], others[1]));
        const [dx] = grad(loss, [x]);
        const [dy] = grad(partial, [y]);
        return { dx, dy: transpose(dy), loss, partial };
      },
      { tolerance: 1e-4, scale: 10 },
    ));

test.run();
