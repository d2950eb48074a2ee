import { classLabel, type Dataset } from "../../../core/interfaces/mod.ts";
import { uniform } from "../../helpers/uniform.ts";

const PIXELS = 64;

/** Images of noise that are brighter in one half: left in class 0, right in class 1. */
function draw(count: number, seed: number) {
  const random = uniform(seed);
  const label = Int32Array.from({ length: count }, (_, i) => i % 2);
  const x = Float32Array.from({ length: PIXELS * count }, (_, i) => {
    const right = i % 8 >= 4 ? 1 : 0;
    return 0.6 * random() + (right === label[Math.floor(i / PIXELS)] ? 0.3 : -0.6);
  });
  return { x, condition: { label } };
}

/** A stored set of 512 images [1, 8, 8] of two classes, with 61 held out. */
export function halves(): Dataset {
  const size = 512;
  const stored = draw(size, 1);
  const choose = (count: number, random: () => number) =>
    Array.from({ length: count }, () => Math.floor(size * random()));
  return {
    name: "halves",
    shape: { sample: [1, 8, 8], condition: classLabel(2), sigmaData: 0.5 },
    size,
    choose,
    batch(which, random) {
      const rows = typeof which === "number" ? choose(which, random) : Array.from(which);
      const x = new Float32Array(PIXELS * rows.length);
      for (const [i, row] of rows.entries()) x.set(stored.x.subarray(PIXELS * row, PIXELS * (row + 1)), PIXELS * i);
      return { x, condition: { label: Int32Array.from(rows, (row) => row % 2) } };
    },
    test: () => ({ ...draw(61, 2), count: 61 }),
  };
}
