import type { Observer } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import type { EventOf } from "../../core/train/mod.ts";
import { encodePng } from "./drawing/png.ts";
import { type SampleSheet, samplePicture } from "./samplePicture.ts";

/** What is drawn, and where to. */
export interface SampleGridOptions {
  readonly files: FileSystem;
  /** Folder of the pictures, made when the first one comes. */
  readonly folder: string;
  /** Images on a grid. Default 100: with ten classes in turn, each column is one. */
  readonly count?: number;
  /** Real samples, drawn beside the others; images with classes in turn. */
  readonly real?: SampleSheet["x"];
  /** What sample i shows, such as its class. */
  readonly captions?: (i: number) => string;
}

/**
 * Writes every set of samples as a picture `<role>-<step>.png`: a grid of images, or for points in the plane a scatter plot. Before
 * it stand real samples and those last drawn by other roles, of the same noise where their numbers are the same.
 */
export function sampleGrids({ files, folder, count = 100, real, captions }: SampleGridOptions): Observer {
  const sheets = new Map<string, SampleSheet>();
  if (real) sheets.set("data", { title: "real data", x: real });

  const write = async ({ role, step, nfe, samples }: EventOf<"sample/drawn">) => {
    const sheet = { title: `${role}, NFE ${nfe}, step ${step}`, x: await samples.read() };
    sheets.delete(role); // so that it is the last
    sheets.set(role, sheet);
    const picture = samplePicture(
      [...sheets.values()],
      samples.shape.slice(1),
      Math.min(count, samples.shape[0]),
      captions,
    );
    await files.makeDir(folder);
    await files.write(files.join(folder, `${role}-${step}.png`), encodePng(picture));
  };
  return {
    name: "sample-grids",
    observe: (bus) => void bus.on("sample/drawn", write, "sample-grids"),
  };
}
