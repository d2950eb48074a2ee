import { failure } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { type IdxArray, readIdx } from "../../core/io/idx.ts";
import type { Batch, Dataset } from "./dataset.ts";

/** Side of an image, in pixels: 28 as stored, 32 with a border of 2 zero pixels, 16 that halved by 2 x 2 means. */
export type MnistResolution = 16 | 28 | 32;

const side = 28;
const classes = 10;

/** The four files, each as it is spelt on the original page; unpacked copies often have a dot for the second hyphen. */
const stems = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

/**
 * MNIST from the original IDX files in `folder`, plain or gzip: grey digits in [-1, 1] (u8 / 127.5 - 1), labels 0…9.
 * At 16 x 16 the training images have mean -0.7999 and standard deviation 0.5025. The images stay in memory as bytes
 * (55 MB) and are scaled when a batch is taken. Throws E_DATA when a file is missing, damaged or does not fit its partner.
 */
export async function loadMnist(
  files: FileSystem,
  folder: string,
  { resolution = 16 }: { readonly resolution?: MnistResolution } = {},
): Promise<Required<Dataset>> {
  if (![16, 28, 32].includes(resolution))
    throw failure(
      "E_OPTION",
      `Cannot load mnist: resolution is ${resolution}, should be 16, 28 or 32`,
    );
  const paths = await findFiles(files, folder);
  const train = await readPart(files, paths.trainImages, paths.trainLabels);
  const held = await readPart(files, paths.testImages, paths.testLabels);
  return {
    name: "mnist",
    sampleShape: [1, resolution, resolution],
    classes,
    size: train.label.length,
    choose: (count, random) => choose(count, train.label.length, random),
    batch: (which, random) => take(train, choose(which, train.label.length, random), resolution),
    test: () => ({
      ...take(held, Int32Array.from(held.label.keys()), resolution),
      count: held.label.length,
    }),
  };
}

/** Images [N, 28, 28] as bytes, and their labels [N]. */
interface Part {
  readonly pixels: Uint8Array;
  readonly label: Uint8Array;
}

type Paths = Record<keyof typeof stems, string>;

async function findFiles(files: FileSystem, folder: string): Promise<Paths> {
  const there = new Set((await files.exists(folder)) ? await files.list(folder) : []);
  const paths: Partial<Paths> = {};
  const missing: string[] = [];
  for (const [part, stem] of Object.entries(stems) as [keyof Paths, string][]) {
    const dotted = stem.replace("-idx", ".idx");
    const name = [stem, `${stem}.gz`, dotted, `${dotted}.gz`].find((name) => there.has(name));
    if (name) paths[part] = files.join(folder, name);
    else missing.push(stem);
  }
  if (missing.length)
    throw failure(
      "E_DATA",
      `Cannot load mnist from ${folder}: ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not there, ` +
        `should hold ${Object.values(stems).join(", ")}, each plain or with .gz`,
    );
  return paths as Paths;
}

async function readPart(files: FileSystem, imagePath: string, labelPath: string): Promise<Part> {
  const images = await readIdx(await files.read(imagePath), 3, imagePath);
  const labels = await readIdx(await files.read(labelPath), 1, labelPath);
  checkPart(images, imagePath, labels, labelPath);
  return { pixels: images.data, label: labels.data };
}

function checkPart(images: IdxArray, imagePath: string, labels: IdxArray, labelPath: string): void {
  const [count, height, width] = images.shape;
  if (height !== side || width !== side)
    throw failure(
      "E_DATA",
      `Cannot use ${imagePath}: its images are ${height} x ${width}, should be ${side} x ${side}`,
    );
  if (count !== labels.data.length)
    throw failure(
      "E_DATA",
      `Cannot use ${labelPath}: it has ${labels.data.length} labels, should have ${count} as ${imagePath} has images`,
    );
  const wrong = labels.data.findIndex((label) => label >= classes);
  if (wrong >= 0)
    throw failure(
      "E_DATA",
      `Cannot use ${labelPath}: label ${wrong} is ${labels.data[wrong]}, should be 0 to ${classes - 1}`,
    );
}

function choose(which: number | ArrayLike<number>, size: number, random: () => number) {
  if (typeof which === "number")
    return Int32Array.from({ length: which }, () => Math.floor(random() * size));
  for (let i = 0; i < which.length; i++)
    if (!Number.isInteger(which[i]) || which[i] < 0 || which[i] >= size)
      throw failure(
        "E_DATA",
        `Cannot take sample ${which[i]} of mnist: should be an integer from 0 to ${size - 1}`,
      );
  return which;
}

function take(part: Part, indices: ArrayLike<number>, resolution: MnistResolution): Batch {
  const area = resolution * resolution;
  const x = new Float32Array(indices.length * area);
  const label = new Int32Array(indices.length);
  const write = resolution === 16 ? writeHalved : writeBordered;
  for (let b = 0; b < indices.length; b++) {
    const at = indices[b] * side * side;
    write(part.pixels.subarray(at, at + side * side), x.subarray(b * area, (b + 1) * area));
    label[b] = part.label[indices[b]];
  }
  return { x, label };
}

/** Four times a grey level (so that means of four stay whole) → [-1, 1], rounded to float32 after each operation. */
const scaled = Float32Array.from(
  { length: 4 * 255 + 1 },
  (_, sum) => Math.fround(sum / 4 / 127.5) - 1,
);

/** 28 x 28 → 16 x 16: the border of 2 is one cell wide after halving, so only the inner 14 x 14 cells hold anything. */
function writeHalved(pixels: Uint8Array, x: Float32Array): void {
  x.fill(scaled[0]);
  for (let i = 0; i < 14; i++)
    for (let j = 0; j < 14; j++) {
      const at = 2 * i * side + 2 * j;
      const sum = pixels[at] + pixels[at + 1] + pixels[at + side] + pixels[at + side + 1];
      x[(i + 1) * 16 + j + 1] = scaled[sum];
    }
}

/** 28 x 28 → the side that `x` is for, with an even border of zero pixels. */
function writeBordered(pixels: Uint8Array, x: Float32Array): void {
  const target = Math.sqrt(x.length);
  const border = (target - side) / 2;
  x.fill(scaled[0]);
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++)
      x[(i + border) * target + j + border] = scaled[4 * pixels[i * side + j]];
}
