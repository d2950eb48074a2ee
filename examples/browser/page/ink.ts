/** Pixels on a side of a digit, and of the picture of it on paper. */
export const SIDE = 16;
const FINE = 128;

/** Where ink begins and where it is full, of the way from paper to ink: an edge of the smoothed digit. */
const EDGE = [0.18, 0.5];

/** How digits are shown: as the network draws them, or smoothed and with edges, as a pen would. */
export type Look = "ink" | "pixels";

/**
 * Paints a digit into a canvas, which takes the size that it needs.
 * @param x from -1, paper, to 1, ink: SIDE x SIDE numbers
 */
export function paintDigit(
  canvas: HTMLCanvasElement,
  x: Float32Array,
  look: Look,
  [red, green, blue]: readonly [number, number, number],
): void {
  const side = look === "ink" ? FINE : SIDE;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d")!;
  const picture = context.createImageData(side, side);
  const amount = look === "ink" ? penned(x) : x.map((value) => clamp((value + 1) / 2));
  for (let i = 0; i < amount.length; i++) {
    picture.data[4 * i] = red;
    picture.data[4 * i + 1] = green;
    picture.data[4 * i + 2] = blue;
    picture.data[4 * i + 3] = 255 * amount[i];
  }
  context.putImageData(picture, 0, 0);
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** The weight of a pixel at a distance below 2, in pixels: the cubic of Mitchell and Netravali (1988), which blurs thin strokes little. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (7 * x ** 3 - 12 * x ** 2 + 16 / 3) / 6;
  return x < 2 ? ((-7 / 3) * x ** 3 + 12 * x ** 2 - 20 * x + 32 / 3) / 6 : 0;
}

/** Four pixels for each place of the fine grid: the first of them, and their weights. */
const taps = Array.from({ length: FINE }, (_, place) => {
  const at = ((place + 0.5) * SIDE) / FINE - 0.5;
  const first = Math.floor(at) - 1;
  return { first, weights: [0, 1, 2, 3].map((k) => cubic(at - first - k)) };
});

const rows = new Float32Array(SIDE * FINE);
const fine = new Float32Array(FINE * FINE);

/** How much ink there is at each place of the fine grid. */
function penned(x: Float32Array): Float32Array {
  for (let y = 0; y < SIDE; y++)
    for (let i = 0; i < FINE; i++) {
      const { first, weights } = taps[i];
      let sum = 0;
      for (let k = 0; k < 4; k++)
        sum += weights[k] * (first + k < 0 || first + k >= SIDE ? -1 : x[y * SIDE + first + k]);
      rows[y * FINE + i] = sum;
    }
  const [low, high] = EDGE;
  for (let j = 0; j < FINE; j++) {
    const { first, weights } = taps[j];
    for (let i = 0; i < FINE; i++) {
      let sum = 0;
      for (let k = 0; k < 4; k++)
        sum += weights[k] * (first + k < 0 || first + k >= SIDE ? -1 : rows[(first + k) * FINE + i]);
      const way = clamp(((sum + 1) / 2 - low) / (high - low));
      fine[j * FINE + i] = way * way * (3 - 2 * way);
    }
  }
  return fine;
}
