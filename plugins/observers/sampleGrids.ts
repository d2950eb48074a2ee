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
  /** Points of the real data [N, 2], drawn beside samples in the plane. */
  readonly real?: SampleSheet["x"];
}

/**
 * Writes every set of samples as a picture `<role>-<step>.png`: a grid of images, or for points in the plane a scatter
 * plot, with the real points and those last drawn by the other role before it.
 */
export function sampleGrids({ files, folder, count = 100, real }: SampleGridOptions): Observer {
  const sheets = new Map<string, SampleSheet>();
  if (real) sheets.set("data", { title: "data", x: real });

  const write = async ({ role, step, nfe, samples }: EventOf<"sample/drawn">) => {
    const sheet = { title: `${role}, NFE ${nfe}`, x: await samples.read() };
    sheets.delete(role); // so that it is the last
    sheets.set(role, sheet);
    const picture = samplePicture([...sheets.values()], samples.shape.slice(1), count);
    await files.makeDir(folder);
    await files.write(files.join(folder, `${role}-${step}.png`), encodePng(picture));
  };
  return {
    name: "sample-grids",
    observe: (bus) => void bus.on("sample/drawn", write, "sample-grids"),
  };
}
