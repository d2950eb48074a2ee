import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Picture, type ResizeFilter, resize } from "../../../core/pixels/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/pixels/resize");

/** Noise of bytes that any runtime makes alike. */
function noise(width: number, height: number, channels: number): Picture<Uint8Array> {
  let state = 1;
  const data = Uint8Array.from({ length: width * height * channels }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { width, height, channels, data };
}

const smooth: readonly ResizeFilter[] = ["box", "bilinear", "hamming", "bicubic", "lanczos"];
const mean = (data: Uint8Array) => data.reduce((a, b) => a + b, 0) / data.length;

test("a picture of its own size is left as it is", () => {
  const picture = noise(13, 7, 3);
  for (const filter of [...smooth, "nearest"] as const)
    assert.equal(resize(picture, picture, filter).data, picture.data);
});

test("shrinking keeps the mean brightness, at every factor", () => {
  const picture = noise(240, 240, 1);
  for (const factor of [2, 3, 4, 5, 6, 8, 10])
    for (const filter of ["bilinear", "bicubic", "lanczos"] as const) {
      const { data } = resize(picture, { width: 240 / factor, height: 240 / factor }, filter);
      assert.ok(Math.abs(mean(data) - mean(picture.data)) < 0.6, `${filter} by ${factor}: ${mean(data)}`);
    }
});

test("a sine keeps its phase", () => {
  const width = 512;
  const wave = (x: number, size: number) => Math.sin(((x + 0.5) / size) * 2 * Math.PI * 4);
  const picture = {
    width,
    height: 1,
    channels: 1,
    data: Float32Array.from({ length: width }, (_, x) => wave(x, width)),
  };
  for (const size of [128, 299, 700]) {
    const { data } = resize(picture, { width: size, height: 1 }, "bicubic");
    for (let x = 4; x < size - 4; x++) assert.ok(Math.abs(data[x] - wave(x, size)) < 0.01, `${size}: pixel ${x}`);
  }
});

test("a constant stays constant, in bytes and floats, also beyond the borders' weights", () => {
  for (const filter of smooth)
    for (const size of [1, 2, 5, 17]) {
      const bytes = { width: 6, height: 4, channels: 3, data: new Uint8Array(72).fill(201) };
      assert.ok(resize(bytes, { width: size, height: size }, filter).data.every((value) => value === 201));
      const floats = { ...bytes, data: new Float32Array(72).fill(0.25) };
      const { data } = resize(floats, { width: size, height: size }, filter);
      assert.ok(data.every((value) => Math.abs(value - 0.25) < 1e-6));
    }
});

test("bytes are clipped where a filter overshoots, floats are not", () => {
  const step = [0, 0, 0, 0, 255, 255, 255, 255];
  const bytes = resize(
    { width: 8, height: 1, channels: 1, data: Uint8Array.from(step) },
    { width: 16, height: 1 },
    "lanczos",
  );
  assert.is(Math.max(...bytes.data), 255);
  assert.is(Math.min(...bytes.data), 0);
  const floats = resize(
    { width: 8, height: 1, channels: 1, data: Float32Array.from(step) },
    { width: 16, height: 1 },
    "lanczos",
  );
  assert.ok(Math.max(...floats.data) > 256 && Math.min(...floats.data) < -1);
});

test("data that do not fit and sizes of nothing are refused", () => {
  const picture = noise(4, 4, 1);
  for (const size of [
    { width: 0, height: 4 },
    { width: 4, height: 2.5 },
    { width: Number.NaN, height: 4 },
  ])
    assert.is(thrown(() => resize(picture, size, "bicubic")).code, "E_SHAPE");
  assert.is(thrown(() => resize({ ...picture, channels: 3 }, { width: 2, height: 2 }, "box")).code, "E_SHAPE");
});

test.run();
