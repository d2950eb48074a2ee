import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeDims, parseDims } from "../../../backends/webgpu/dims.ts";
import { grid } from "../../../backends/webgpu/grid.ts";

const test = suite("backends/webgpu/dims");

const source = `struct Dims { M: u32, scale: f32, // a comment, with a comma
  at: vec2i, SIZES: array<vec4u, 2>, back: i32, box: vec3<f32>, end: u32, }`;

test("fields lie where WGSL's uniform layout puts them", () => {
  const layout = parseDims(source)!;
  assert.equal(
    layout.fields.map(({ name, offset, count }) => [name, offset, count]),
    [
      ["M", 0, 1],
      ["scale", 4, 1],
      ["at", 8, 2],
      ["SIZES", 16, 8],
      ["back", 48, 1],
      ["box", 64, 3],
      ["end", 76, 1],
    ],
  );
  assert.is(layout.bytes, 80);
  assert.is(parseDims("fn main() {}"), undefined);
});

test("values are encoded as their types, short lists are filled with zeros", () => {
  const layout = parseDims(source)!;
  const view = new DataView(new ArrayBuffer(128));
  const values = { M: 4294967295, scale: 0.5, at: [-1, 2], SIZES: [1, 2, 3, 4, 5], back: -7 };
  encodeDims("k", layout, { ...values, box: [1, 2, 3], end: 9 }, view, 32);
  assert.is(view.getUint32(32, true), 4294967295);
  assert.is(view.getFloat32(36, true), 0.5);
  assert.is(view.getInt32(40, true), -1);
  assert.is(view.getUint32(32 + 16 + 16, true), 5);
  assert.is(view.getUint32(32 + 16 + 20, true), 0);
  assert.is(view.getInt32(32 + 48, true), -7);
  assert.is(view.getUint32(32 + 76, true), 9);
});

test("missing, unknown, overlong and out-of-range values are bugs with a name", () => {
  const layout = parseDims("struct Dims { M: u32, a: vec2u }")!;
  const view = new DataView(new ArrayBuffer(16));
  const encode = (values: Record<string, number | number[]>) => () => encodeDims("k", layout, values, view, 0);
  assert.throws(encode({ M: 1 }), /k got no value for a/);
  assert.throws(encode({ M: 1, a: [1, 2], N: 3 }), /k has no field "N"/);
  assert.throws(encode({ M: 1, a: [1, 2, 3] }), /a takes 2 numbers, got 3/);
  assert.throws(encode({ M: -1, a: [1, 2] }), /M is -1, expected u32/);
  assert.throws(encode({ M: 0.5, a: [1, 2] }), /M is 0.5, expected u32/);
});

test("arrays that Naga refuses in a uniform are refused here", () => {
  assert.throws(() => parseDims("struct Dims { a: array<u32, 4> }"), /array<vec4, N>/);
});

test("a grid folds what one dimension can't hold", () => {
  assert.equal(grid(0), [0, 1, 1]);
  assert.equal(grid(65535), [65535, 1, 1]);
  assert.equal(grid(65536), [32768, 2, 1]);
  for (const count of [1, 7, 65537, 1_000_003, 10 ** 8]) {
    const [x, y] = grid(count);
    assert.ok(x * y >= count && x <= 65535 && y <= 65535);
  }
});

test.run();
