import { decode } from "fast-png";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { imageGrid } from "../../../../plugins/observers/drawing/imageGrid.ts";
import { encodePng } from "../../../../plugins/observers/drawing/png.ts";

const test = suite("core/io/imageGrid");

test("grey samples stand row by row with a margin, and -1, 0, 1 are black, grey, white", () => {
  const samples = [-1, 1, 0, 0, 1, -1]; // three samples of 1 x 2
  const { width, height, channels, data } = imageGrid(samples, [3, 1, 1, 2], {
    columns: 2,
    margin: 1,
    background: 9,
  });
  assert.equal([width, height, channels], [7, 5, 1]);
  // biome-ignore format: rows of the picture
  assert.equal([...data], [
    9, 9, 9, 9, 9, 9, 9,
    9, 0, 255, 9, 128, 128, 9,
    9, 9, 9, 9, 9, 9, 9,
    9, 255, 0, 9, 9, 9, 9,
    9, 9, 9, 9, 9, 9, 9,
  ]);
});

test("colour planes become interleaved RGB, and scale repeats pixels", () => {
  const { width, height, channels, data } = imageGrid([1, -1, -1, 1, 0, 0], [1, 3, 1, 2], {
    margin: 0,
    scale: 2,
  });
  assert.equal([width, height, channels], [4, 2, 3]);
  const row = [255, 0, 128, 255, 0, 128, 0, 255, 128, 0, 255, 128];
  assert.equal([...data], [...row, ...row]);
});

test("every byte survives u8 / 127.5 - 1 in float32", () => {
  const samples = Float32Array.from({ length: 256 }, (_, i) => Math.fround(i / 127.5) - 1);
  const { data } = imageGrid(samples, [1, 1, 16, 16], { margin: 0 });
  assert.equal([...data], [...new Array(256).keys()]);
});

test("values outside the range are clamped", () => {
  const { data } = imageGrid([-1.5, 7, 1e38, -1e-9], [4, 1, 1, 1], { margin: 0, columns: 4 });
  assert.equal([...data], [0, 255, 255, 127]);
});

test("NaN and infinities are magenta, also in grey samples", () => {
  const grey = imageGrid([Number.NaN, 0, Infinity], [1, 1, 1, 3], { margin: 0 });
  assert.is(grey.channels, 3);
  assert.equal([...grey.data], [255, 0, 255, 128, 128, 128, 255, 0, 255]);
  const colour = imageGrid([0, -Infinity, 0], [1, 3, 1, 1], { margin: 0 });
  assert.equal([...colour.data], [255, 0, 255]);
});

test("by default the grid is about square", () => {
  const sizes = [1, 2, 5, 7, 16, 17].map((N) => {
    const { width, height } = imageGrid(new Float32Array(N * 4), [N, 1, 2, 2], { margin: 0 });
    return [width / 2, height / 2];
  });
  assert.equal(sizes, [
    [1, 1],
    [2, 1],
    [3, 2],
    [3, 3],
    [4, 4],
    [5, 4],
  ]);
});

test("refuses empty sets, other channel counts and lengths that do not fit", () => {
  const draw =
    (shape: number[], options = {}, length = shape.reduce((a, b) => a * b, 1)) =>
    () =>
      imageGrid(new Float32Array(length), shape, options);
  assert.throws(draw([0, 1, 4, 4]), /samples \[0, 1, 4, 4\]: a size is not positive/);
  assert.throws(draw([2, 2, 4, 4]), /there are 2 channels, should be 1 \(grey\) or 3 \(RGB\)$/);
  assert.throws(draw([1, 4, 4]), /there are 3 dimensions/);
  assert.throws(draw([2, 1, 4, 4], {}, 31), /there are 31 values, should be 32$/);
  assert.throws(draw([2, 1, 4, 4], { margin: -1 }), /margin is -1/);
  assert.throws(draw([2, 1, 4, 4], { columns: 0 }), /columns is 0/);
  assert.throws(draw([2, 1, 4, 4], { scale: 0.5 }), /scale is 0.5/);
});

test("PNG files hold the same pixels", () => {
  for (const C of [1, 3]) {
    const samples = Float32Array.from({ length: 7 * C * 5 * 3 }, (_, i) => Math.sin(i));
    const picture = imageGrid(samples, [7, C, 5, 3]);
    const back = decode(encodePng(picture));
    assert.equal([back.width, back.height, back.channels], [picture.width, picture.height, C]);
    assert.equal(new Uint8Array(back.data), picture.data);
  }
});

test("PNG files hold texts of any language, which other programs read", () => {
  const picture = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) } as const;
  const bytes = encodePng(picture, { onestep: '{"prompt":"ein Haus in Zürich, 日本"}' });
  assert.equal([...decode(bytes, { checkCrc: true }).data], [0, 255]);
  const found = Buffer.from(bytes);
  const at = found.indexOf("iTXtonestep\0\0\0\0\0");
  assert.is(found.readUInt32BE(at - 4), Buffer.byteLength('onestep\0\0\0\0\0{"prompt":"ein Haus in Zürich, 日本"}'));
  assert.ok(found.includes("ein Haus in Zürich, 日本"));
});

test("PNG refuses a picture whose data do not fit", () => {
  const picture = { width: 2, height: 2, channels: 1, data: new Uint8Array(3) } as const;
  assert.throws(() => encodePng(picture), /2 x 2 x 1: it has 3 bytes/);
  assert.throws(() => encodePng({ ...picture, width: 0, data: new Uint8Array(0) }), /at least one pixel/);
});

test.run();
