import { failure } from "../../core/errors.ts";
import { type Batch, classLabel, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { type FileSystem, type IdxArray, readIdx } from "../../core/io/mod.ts";
import { choice, definePlugin } from "../../core/plugin/mod.ts";
import { absent } from "./shared/absent.ts";
import { dataAt } from "./shared/dataPath.ts";
import { fingerprintOf } from "./shared/fingerprint.ts";
import { chooseRows } from "./shared/shards.ts";
import { sigmaDataOption } from "./shared/sigmaData.ts";

/** Side of an image, in pixels: 28 as stored, 32 with a border of 2 zero pixels, 16 that halved by 2 x 2 means. */
type MnistResolution = 16 | 28 | 32;

const side = 28;
const CLASSES = 10;

/** The four files, each as it is spelt on the original page; unpacked copies often have a dot for the second hyphen. */
const stems = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

/**
 * Handwritten digits from the original IDX files in the data folder, plain or gzip. Samples [1, R, R] in [-1, 1], ten
 * classes. At 16 x 16 the training images have mean -0.7999 and standard deviation 0.5025. The images stay in memory as bytes
 * (55 MB) and are scaled when a batch is taken. LeCun et al. 1998.
 */
export const mnistDataset = definePlugin({
  name: "mnist",
  kind: "dataset",
  about: "MNIST digits from the four IDX files in the data folder",
  options: {
    resolution: choice([16, 28, 32], {
      default: 16,
      about: "side in pixels: 28 as stored, 32 with a border, 16 that halved",
    }),
    sigmaData: sigmaDataOption(0.5),
  },
  async create({ resolution, sigmaData }, container): Promise<Dataset> {
    const { files, path } = dataAt("mnist", container.get(DATA_FOLDER));
    const paths = await findFiles(files, path);
    const train = await readPart(files, paths.trainImages, paths.trainLabels);
    const held = await readPart(files, paths.testImages, paths.testLabels);
    const size = train.label.length;
    const rows = (which: number | ArrayLike<number>, random: () => number) => chooseRows("mnist", which, size, random);
    return {
      name: "mnist",
      shape: { sample: [1, resolution, resolution], condition: classLabel(CLASSES), sigmaData },
      size,
      choose: rows,
      batch: (which, random) => take(train, rows(which, random), resolution),
      fingerprint: () =>
        fingerprintOf(
          "mnist",
          { resolution },
          [train, held].flatMap(({ pixels, label }) => [pixels, label]),
        ),
      test: () => ({
        ...take(held, Int32Array.from(held.label.keys()), resolution),
        count: held.label.length,
      }),
    };
  },
});

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
      `Cannot load mnist from ${folder}: ${absent(missing, Object.keys(stems).length)}, ` +
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
  const wrong = labels.data.findIndex((label) => label >= CLASSES);
  if (wrong >= 0)
    throw failure(
      "E_DATA",
      `Cannot use ${labelPath}: label ${wrong} is ${labels.data[wrong]}, should be 0 to ${CLASSES - 1}`,
    );
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
  return { x, condition: { label } };
}

/** Four times a grey level (so that means of four stay whole) → [-1, 1], rounded to float32 after each operation. */
const scaled = Float32Array.from({ length: 4 * 255 + 1 }, (_, sum) => Math.fround(sum / 4 / 127.5) - 1);

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
    for (let j = 0; j < side; j++) x[(i + border) * target + j + border] = scaled[4 * pixels[i * side + j]];
}
