import { failure } from "../../../core/errors.ts";
import { imageGrid } from "./imageGrid.ts";
import type { Picture } from "./picture.ts";
import { cell, drawText } from "./pixelFont.ts";

/** What a sheet of images shows. */
export interface ImageSheetOptions {
  /** Of an image; latents and others of more than 3 channels show the first three. */
  readonly shape: readonly [C: number, H: number, W: number];
  /** A grid of images for each of these, side by side, with the title above it. */
  readonly titles: readonly string[];
  /** Images of a grid. */
  readonly count: number;
  /** What image i of a grid shows, such as its class. */
  readonly captions?: (i: number) => string;
}

/** Images are enlarged to about this many pixels per side. */
const SIDE = 48;
/** Pixels between images. */
const GAP = 2;
/** Pixels between grids and around them. */
const MARGIN = 6;
/** Height of a line of small and of large text, with its gaps. */
const [LINE, TITLE] = [cell.height + 3, 2 * cell.height + 7];
const INK = 60;
/** The largest picture, in bytes, and the most captions that are looked through for their period. */
const [MOST_BYTES, MOST_COLUMNS] = [2 ** 28, 20];

/**
 * Grids of images side by side, drawn portion by portion as the images come, so that no more of them is in memory than the
 * picture. Where captions return after a number of images, such as classes in turn, that number decides the columns, which then
 * are headed by them; else they stand below each image. Images are in [-1, 1], see `imageGrid`.
 */
export class ImageSheet {
  readonly #options: ImageSheetOptions;
  readonly #columns: number;
  readonly #scale: number;
  readonly #headed: boolean;
  readonly #width: number;
  readonly #height: number;
  readonly #data: Uint8Array;

  /** @throws E_OPTION when so many images make no picture */
  constructor(options: ImageSheetOptions) {
    this.#options = options;
    const { shape, count, captions, titles } = options;
    const period = captions && periodOf(captions, count);
    this.#columns = columnsOf(count, period);
    this.#headed = period !== undefined;
    const full = Math.max(1, Math.round(SIDE / shape[2]));
    const sizes = Array.from({ length: full }, (_, i) => full - i);
    const bytes = (scale: number) => 3 * this.#widthAt(scale) * this.#heightAt(scale);
    const scale = sizes.find((each) => bytes(each) <= MOST_BYTES);
    if (scale === undefined)
      throw failure(
        "E_OPTION",
        `Cannot draw ${count} images ${shape[2]} x ${shape[1]} into one picture: it would have ${(bytes(1) / 2 ** 20).toFixed(0)} MiB, should have at most ${MOST_BYTES / 2 ** 20}`,
        { fix: `ask for at most ${Math.floor((0.9 * count * MOST_BYTES) / bytes(1) / titles.length)} at a time` },
      );
    this.#scale = scale;
    [this.#width, this.#height] = [this.#widthAt(scale), this.#heightAt(scale)];
    this.#data = new Uint8Array(3 * this.#width * this.#height).fill(255);
    for (const [panel, title] of titles.entries()) this.#entitle(panel, title);
  }

  #panelWidth(scale: number): number {
    return this.#columns * (this.#options.shape[2] * scale + GAP) - GAP + MARGIN;
  }
  #widthAt(scale: number): number {
    return MARGIN + this.#options.titles.length * this.#panelWidth(scale);
  }
  #rowHeight(scale: number): number {
    const { shape, captions } = this.#options;
    return shape[1] * scale + GAP + (captions && !this.#headed ? LINE : 0);
  }
  #heightAt(scale: number): number {
    const rows = Math.ceil(this.#options.count / this.#columns);
    return this.#top + rows * this.#rowHeight(scale) - GAP + MARGIN;
  }
  /** Where the first row of images begins. */
  get #top(): number {
    return MARGIN + TITLE + (this.#headed ? LINE : 0);
  }

  /** Draws images [N, C, H, W] into a grid, from its image `first` on; those beyond its count are left out. */
  place(panel: number, first: number, x: ArrayLike<number> & { slice(start: number, end: number): ArrayLike<number> }) {
    const [C, H, W] = this.#options.shape;
    const shown = C < 3 ? 1 : 3;
    const scale = this.#scale;
    const N = Math.min(x.length / (C * H * W), this.#options.count - first);
    for (let n = 0; n < N; n++) {
      const from = n * C * H * W;
      const image = imageGrid(x.slice(from, from + shown * H * W), [1, shown, H, W], { margin: 0, scale });
      const [left, top] = this.#placeOf(panel, first + n);
      this.#lay(image, left, top);
      const { captions } = this.#options;
      if (captions && !this.#headed) this.#write(captions(first + n), left, top + H * scale + GAP, 1, W * scale);
    }
  }

  picture(): Picture {
    return { width: this.#width, height: this.#height, channels: 3, data: this.#data };
  }

  #placeOf(panel: number, image: number): readonly [left: number, top: number] {
    const [row, column] = [Math.floor(image / this.#columns), image % this.#columns];
    const left = MARGIN + panel * this.#panelWidth(this.#scale) + column * (this.#options.shape[2] * this.#scale + GAP);
    return [left, this.#top + row * this.#rowHeight(this.#scale)];
  }

  #entitle(panel: number, title: string): void {
    const [left] = this.#placeOf(panel, 0);
    const room = this.#panelWidth(this.#scale) - MARGIN;
    const size = 2 * cell.width * title.length <= room ? 2 : 1;
    this.#write(title, left, MARGIN + (size === 2 ? 0 : cell.height), size, room);
    const { captions, shape } = this.#options;
    if (!captions || !this.#headed) return;
    for (let column = 0; column < this.#columns; column++)
      this.#write(captions(column), this.#placeOf(panel, column)[0], MARGIN + TITLE, 1, shape[2] * this.#scale);
  }

  /** Text, cut to fit into `room` pixels. */
  #write(text: string, left: number, top: number, size: number, room: number): void {
    const letters = Math.max(1, Math.floor((room + 1) / (cell.width * size)));
    drawText(text.slice(0, letters), (x, y) => {
      for (let dy = 0; dy < size; dy++)
        for (let dx = 0; dx < size; dx++) this.#dot(left + x * size + dx, top + y * size + dy);
    });
  }

  #dot(x: number, y: number): void {
    if (x >= this.#width || y >= this.#height) return;
    const at = 3 * (y * this.#width + x);
    this.#data.fill(INK, at, at + 3);
  }

  #lay({ width, height, channels, data }: Picture, left: number, top: number): void {
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const at = 3 * ((top + y) * this.#width + left + x);
        for (let c = 0; c < 3; c++) this.#data[at + c] = data[(y * width + x) * channels + Math.min(c, channels - 1)];
      }
  }
}

/** After how many images captions return, up to 20; undefined where they do not. */
function periodOf(captions: (i: number) => string, count: number): number | undefined {
  const looked = Array.from({ length: Math.min(count, 10 * MOST_COLUMNS) }, (_, i) => captions(i));
  for (let period = 1; period <= Math.min(MOST_COLUMNS, count); period++)
    if (looked.every((caption, i) => caption === looked[i % period])) return period;
  return undefined;
}

/** About ten columns for up to a hundred images, then about as many as rows; a multiple of the period. */
function columnsOf(count: number, period = 10): number {
  const unit = period * Math.max(1, Math.floor(10 / period));
  return Math.min(count, unit * Math.max(1, Math.round(Math.sqrt(count) / unit)));
}
