import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Colour, Picture } from "../../../../plugins/observers/drawing/picture.ts";
import { scatter } from "../../../../plugins/observers/drawing/scatter.ts";

const test = suite("core/io/scatter");
const red: Colour = [255, 0, 0];
const pixel = ({ data, width }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
const isRed = ([r, g, b]: number[]) => r > 200 && g < 60 && b < 60;

/** Pixels that are darker in green than white, grey lines apart: what the red dots cover. */
function redPixels(picture: Picture): [number, number][] {
  const found: [number, number][] = [];
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++) if (isRed(pixel(picture, x, y))) found.push([x, y]);
  return found;
}

test("points stand where they belong: x to the right, y upwards, panels side by side", () => {
  const layers = [{ points: [1, 1], colour: red, opacity: 1 }];
  const picture = scatter([{ layers: [] }, { layers }], {
    width: 200,
    height: 100,
    range: [-1.5, 1.5],
    radius: 2,
  });
  assert.equal([picture.width, picture.height, picture.channels], [200, 100, 3]);
  // The second panel spans 108…192 by 8…92 (84 pixels for 3 units); its middle is (150, 50).
  const found = redPixels(picture);
  const mean = (k: 0 | 1) => found.reduce((sum, at) => sum + at[k] + 0.5, 0) / found.length;
  assert.ok(found.length > 0);
  assert.ok(Math.abs(mean(0) - (150 + 28)) < 0.6 && Math.abs(mean(1) - (50 - 28)) < 0.6, `${mean(0)}, ${mean(1)}`);
});

test("the ink of a dot is its area, wherever it falls between pixels", () => {
  for (const [x, y] of [
    [0.3, 0.3],
    [0.31, 0.305],
    [0.3333, 0.3777],
    [0.5, 0.51],
  ]) {
    const layers = [{ points: [x, y], colour: [0, 0, 0] as Colour, opacity: 1 }];
    const options = { width: 100, height: 100, range: [-1, 1] as const, radius: 3 };
    const [blank, drawn] = [scatter([{ layers: [] }], options), scatter([{ layers }], options)];
    let ink = 0;
    for (let i = 0; i < blank.data.length; i += 3) ink += (blank.data[i] - drawn.data[i]) / 255;
    assert.ok(Math.abs(ink - Math.PI * 9) < 1.5, `ink ${ink}, area ${Math.PI * 9}`);
  }
});

test("points outside, NaN and infinite ones are counted in the picture and not drawn", () => {
  const points = [0.5, 0.5, 99, 0, Number.NaN, 0, 0, -Infinity];
  const options = { width: 200, height: 200 };
  const tidy = scatter([{ layers: [{ points: points.slice(0, 2), colour: [0, 0, 255] }] }], options);
  const wild = scatter([{ layers: [{ points, colour: [0, 0, 255] }] }], options);
  let first = 200;
  for (let y = 199; y >= 0; y--)
    for (let x = 0; x < 200; x++) if (pixel(tidy, x, y).join() !== pixel(wild, x, y).join()) first = y;
  assert.ok(
    first > 150 && first < 200,
    `the pictures first differ at row ${first}, should be in the label at the bottom`,
  );
});

test("titles are drawn above the panel and never beyond the picture", () => {
  const picture = scatter([{ title: "A very long title that cannot fit ✓", layers: [] }], {
    width: 100,
    height: 100,
  });
  let dark = 0;
  for (let y = 0; y < 22; y++) for (let x = 0; x < 100; x++) if (pixel(picture, x, y)[0] < 100) dark++;
  assert.ok(dark > 50);
});

test("an empty set leaves an empty panel; the background is white", () => {
  const picture = scatter([{ layers: [{ points: [], colour: red }] }], { width: 90, height: 90 });
  assert.equal(pixel(picture, 0, 0), [255, 255, 255]);
  assert.is(redPixels(picture).length, 0);
});

test("refuses what cannot be drawn", () => {
  const panel = { layers: [] };
  assert.throws(() => scatter([]), /there are 0 panels/);
  assert.throws(() => scatter([panel, panel], { width: 100 }), /the size is 100 x 300/);
  assert.throws(() => scatter([panel], { range: [1, 1] }), /range is \[1, 1\]/);
  assert.throws(() => scatter([panel], { range: [0, Infinity] }), /range is \[0, Infinity\]/);
  assert.throws(() => scatter([panel], { radius: 0 }), /radius is 0/);
  assert.throws(
    () => scatter([{ title: "real", layers: [{ points: [1, 2, 3], colour: red }] }]),
    /panel "real": there are 3 values, should be pairs/,
  );
});

test.run();
