import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ImageSheet } from "../../../../plugins/observers/drawing/imageSheet.ts";
import { thrown } from "../../../helpers/thrown.ts";

const test = suite("plugins/observers/drawing/imageSheet");

const shape = [1, 16, 16] as const;
const names = ["circle", "square", "triangle"];
const images = (count: number) => Float32Array.from({ length: count * 256 }, (_, i) => Math.sin(i));
const sizeOf = ({ width, height }: { width: number; height: number }) => [width, height];

test("the same picture however the images are divided", () => {
  const whole = new ImageSheet({ shape, count: 30, titles: ["a", "b"] });
  const parts = new ImageSheet({ shape, count: 30, titles: ["a", "b"] });
  whole.place(1, 0, images(30));
  for (let first = 0; first < 30; first += 7)
    parts.place(1, first, images(30).subarray(256 * first, 256 * (first + 7)));
  assert.equal(parts.picture(), whole.picture());
});

test("classes in turn head their columns; other captions stand below each image", () => {
  const size = (captions?: (i: number) => string) =>
    sizeOf(new ImageSheet({ shape, count: 27, titles: ["t"], captions }).picture());
  assert.equal(size(), [6 + 500 - 2 + 6, 6 + 21 + 3 * 50 - 2 + 6]);
  assert.equal(
    size((i) => names[i % 3]),
    [6 + 450 - 2 + 6, 6 + 21 + 10 + 3 * 50 - 2 + 6],
  );
  assert.equal(
    size((i) => `${i * i}`),
    [6 + 500 - 2 + 6, 6 + 21 + 3 * 60 - 2 + 6],
  );
});

test("ten thousand images are a square of small ones; more than make a picture are refused before any is drawn", () => {
  const [width, height] = sizeOf(new ImageSheet({ shape, count: 10_000, titles: ["t"] }).picture());
  assert.equal([width, height], [6 + 5000 - 2 + 6, 6 + 21 + 5000 - 2 + 6]);
  const { code, message, fix } = thrown(() => new ImageSheet({ shape, count: 1e7, titles: ["t"] }));
  assert.is(code, "E_OPTION");
  assert.match(
    message,
    /^Cannot draw 10000000 images 16 x 16 into one picture: it would have \d+ MiB, should have at most 256$/,
  );
  assert.match(fix, /^ask for at most \d+ at a time$/);
});

test.run();
