/** Follows a run's folder while it changes. */
import { stat } from "node:fs/promises";
import { holderOf } from "../../../backends/host/claim.ts";
import { failure } from "../../../core/errors.ts";
import type { FileSystem } from "../../../core/io/files.ts";
import { runFolder } from "../../../core/train/files/runFolder.ts";
import { eventOf } from "../../../plugins/observers/logLines.ts";
import {
  type CurveChange,
  type PictureView,
  RunModel,
  type RunParts,
  referenceOf,
} from "../../../plugins/observers/mod.ts";
import { references } from "../../presets/bands/mod.ts";

/** Bytes that are read at a time; between two the server answers. */
const PORTION = 2 ** 20;
const NEWLINE = 10;
/** A line of a log is no longer; what is, is no log. */
const LONGEST_LINE = 8 * 2 ** 20;
/** Pictures at most, the newest; and their names, as a run gives them. */
const [MOST_PICTURES, PICTURE] = [500, /^([\w-]{1,80})-(\d{1,12})\.png$/];

/** What has changed of a run: whole parts, and ends of curves. */
export interface RunChanges extends Partial<RunParts> {
  readonly curves?: readonly CurveChange[];
  /** All that was sent before is void: the folder has another run now. */
  readonly anew?: true;
}

/** Reads what a run's log has got since it was last asked, and knows what has changed. */
export class RunWatch {
  readonly path: string;
  readonly #files: FileSystem;
  #model = new RunModel();
  /** Bytes of the log that are taken: up to the end of a line. */
  #taken = 0;
  /** The file as it was when it was begun: another one has taken its place when this is another. */
  #file: number | undefined;
  /** Each part as it was last told: its text, or itself. */
  readonly #told = new Map<string, unknown>();
  #pictures: readonly PictureView[] = [];
  #held: boolean | undefined;
  #anew = false;
  /** The config that the reference was looked for. */
  #compared: object | undefined;
  #reference: RunParts["reference"];

  constructor(files: FileSystem, path: string) {
    this.#files = files;
    this.path = path;
  }

  /** @throws E_CHECKPOINT where there is no run at this path */
  static async open(files: FileSystem, path: string): Promise<RunWatch> {
    const fix = "give the folder of a run, such as runs/gaussians, or one with several of them";
    if (!(await files.exists(path)))
      throw failure("E_CHECKPOINT", `Cannot show ${path}: there is no such folder`, { fix });
    const folder = runFolder(files, path);
    if (!(await files.exists(folder.events)) && !(await folder.holdsRun()))
      throw failure("E_CHECKPOINT", `Cannot show ${path}: it holds no run`, { fix });
    return new RunWatch(files, path);
  }

  /** Takes what the folder has got since. What can't be read now, as while a file is replaced, is read next time. */
  async refresh(): Promise<void> {
    const { events, samples, path } = runFolder(this.#files, this.path);
    await this.#read(events).catch(() => {});
    this.#pictures = await this.#picturesIn(samples).catch(() => this.#pictures);
    this.#held = (await holderOf(this.#files.join(path, "run.lock")).catch(() => undefined)) !== undefined;
  }

  async #read(path: string): Promise<void> {
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) return;
    if (found.size < this.#taken || (this.#file !== undefined && found.ino !== this.#file)) {
      this.#model = new RunModel();
      this.#taken = 0;
      this.#told.clear();
      this.#anew = true;
    }
    this.#file = found.ino;
    while (this.#taken < found.size) {
      // A line that is longer than a portion is read whole.
      let length = Math.min(PORTION, found.size - this.#taken);
      let bytes = await this.#files.readRange(path, this.#taken, length);
      let end = bytes.lastIndexOf(NEWLINE) + 1;
      while (end === 0 && this.#taken + length < found.size && length < LONGEST_LINE) {
        length = Math.min(2 * length, found.size - this.#taken);
        bytes = await this.#files.readRange(path, this.#taken, length);
        end = bytes.lastIndexOf(NEWLINE) + 1;
      }
      // The rest is half a line: of a run that goes on, or that was killed.
      if (end === 0) {
        if (length >= LONGEST_LINE) this.#taken += length;
        else return;
      }
      for (const line of new TextDecoder().decode(bytes.subarray(0, end)).split("\n"))
        if (line !== "") this.#model.take(eventOf(line));
      this.#taken += end;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #picturesIn(folder: string): Promise<readonly PictureView[]> {
    if (!(await this.#files.exists(folder))) return this.#pictures;
    const known = new Map(this.#pictures.map((picture) => [picture.file, picture]));
    const named = (await this.#files.list(folder)).flatMap((file) => {
      const [, role, step] = file.match(PICTURE) ?? [];
      return role === undefined ? [] : [{ file, role, step: Number(step) }];
    });
    const newest = named.sort((a, b) => a.step - b.step || a.role.localeCompare(b.role)).slice(-MOST_PICTURES);
    const last = Math.max(...newest.map(({ step }) => step));
    const found = await Promise.all(
      newest.map(async (each) => {
        // Only those of the last step are drawn anew.
        const before = known.get(each.file);
        if (before && each.step < last) return before;
        const { mtimeMs } = await stat(this.#files.join(folder, each.file));
        return { ...each, version: Math.round(mtimeMs) };
      }),
    );
    return JSON.stringify(found) === JSON.stringify(this.#pictures) ? this.#pictures : found;
  }

  /** The file of a picture that the run has; undefined for any other name. */
  pictureFile(name: string): string | undefined {
    const known = this.#pictures.some(({ file }) => file === name);
    return known ? this.#files.join(runFolder(this.#files, this.path).samples, name) : undefined;
  }

  /** All parts of the run as they are now. */
  get parts(): RunParts {
    const { config, warnings, notes, judgements, weights } = this.#model;
    if (config !== this.#compared) {
      this.#compared = config;
      this.#reference = referenceOf(config, references);
    }
    return {
      head: this.#model.head(this.#held),
      config,
      warnings,
      notes,
      judgements,
      weights,
      pictures: this.#pictures,
      reference: this.#reference,
    };
  }

  /** All there is, for who has not heard of it. */
  whole(): RunChanges {
    return { ...this.parts, curves: this.#model.curves.map((curve) => ({ ...curve, from: 0 })) };
  }

  /** What has changed since this was last asked; undefined where nothing has. */
  takeChanges(): RunChanges | undefined {
    const parts = Object.entries(this.parts).filter(([name, part]) => {
      // What is the same object is the same; texts of others are compared, as most are made anew.
      const text = name === "config" || name === "reference" || name === "pictures" ? part : JSON.stringify(part);
      const changed = this.#told.get(name) !== text;
      if (changed) this.#told.set(name, text);
      return changed;
    });
    const curves = this.#model.takeCurveChanges();
    const anew = this.#anew;
    this.#anew = false;
    if (parts.length === 0 && curves.length === 0 && !anew) return undefined;
    return { ...Object.fromEntries(parts), ...(curves.length > 0 && { curves }), ...(anew && { anew }) };
  }
}
