/** Pictures that lie in archives or folders, with what is said of each: where they are is known, their bytes are read when needed. */
import { failure } from "../../../core/errors.ts";
import type { ByteSource, PictureFormat, StoredFile } from "../../../core/io/mod.ts";
import { type Skipped, unusable } from "./skipped.ts";

/** A picture by its place, and nothing more: there may be millions. */
export class PlacedPicture {
  readonly file: StoredFile;
  /** The archive that holds the file; undefined where the file stands alone. */
  readonly archive: ByteSource | undefined;
  /** Class; 0 where there are none. */
  readonly label: number;
  /** What it shows, in words, or the file that says it. */
  readonly caption: string | StoredFile | undefined;
  /** Checksum of its bytes, once they were looked at. */
  sum = 0;
  /** Once it was looked at; 0 before. */
  width = 0;
  height = 0;
  channels: 1 | 3 = 3;
  format: PictureFormat = "PNG";

  constructor({ file, archive, caption }: FoundPicture, label: number) {
    this.file = file;
    this.archive = archive;
    this.label = label;
    this.caption = caption;
  }
  /** What messages call it. */
  get path(): string {
    return pathOf(this);
  }
}

const pathOf = ({ file, archive }: Pick<FoundPicture, "file" | "archive">): string =>
  archive ? `${archive.name}, entry ${JSON.stringify(file.name)}` : file.name;

/** A picture as it was found, before all are compared. */
export interface FoundPicture {
  readonly file: StoredFile;
  readonly archive?: ByteSource;
  /** A class, or a text that says why it has none. */
  readonly label?: number | string;
  readonly caption?: string | StoredFile;
}

/** Pictures of a data set, before their bytes are read. */
export interface PictureSet {
  /** Of the dataset, for messages. */
  readonly name: string;
  /** Where they lie. */
  readonly from: string;
  readonly pictures: readonly PlacedPicture[];
  /** Number of classes; 0 for pictures without. */
  readonly classes: number;
  /** Whether every picture has a caption. */
  readonly hasCaptions: boolean;
  /** Pictures, labels and captions that do not belong together. */
  readonly bad: readonly Skipped[];
  /** What was passed over, a few words each. */
  readonly notes: readonly string[];
}

/** What is found, and how it is taken. */
export interface PictureSetRequest extends Pick<PictureSet, "name" | "from" | "notes"> {
  readonly found: readonly FoundPicture[];
  /** Bad things that are known already. */
  readonly bad?: readonly Skipped[];
  /** The option: number of classes, 0 to leave labels alone, undefined for what is found. */
  readonly classes?: number;
}

/** A file that claims more classes is a file of something else. */
const MOST_CLASSES = 100_000;

/**
 * Holds labels and captions to be there for all pictures or for none, and labels to the classes.
 * @throws E_DATA where there are no pictures, or no labels though classes are asked for
 */
export function pictureSet({ found, bad = [], classes: wanted, ...rest }: PictureSetRequest): PictureSet {
  const { name, from } = rest;
  if (found.length === 0 && bad.length > 0)
    throw unusable(bad, bad.length, "write the files again, each picture with its label and caption");
  if (found.length === 0)
    throw failure("E_DATA", `Cannot load ${name} from ${from}: it holds no pictures${notesIn(rest.notes)}`, {
      fix: "`onestep inspect PATH` says what a file or folder holds",
    });
  const labelled = wanted === 0 ? 0 : found.filter(({ label }) => label !== undefined).length;
  if (wanted && labelled === 0)
    throw failure("E_DATA", `Cannot load ${name} from ${from}: it has no labels, should have ${wanted} classes`, {
      fix: "leave dataset.classes out for pictures without",
    });
  const captioned = found.filter(({ caption }) => caption !== undefined).length;
  const most = Math.min(wanted || MOST_CLASSES, MOST_CLASSES);
  const faults: Skipped[] = [...bad];
  const pictures: PlacedPicture[] = [];
  let classes = wanted ?? 0;
  for (const each of found) {
    const label = labelled > 0 ? each.label : 0;
    const why =
      label === undefined
        ? `it has no label, ${labelled} of ${found.length} have one`
        : typeof label === "string"
          ? label
          : !(Number.isInteger(label) && label >= 0 && label < most)
            ? `its label is ${label}, should be 0 to ${most - 1}`
            : captioned > 0 && each.caption === undefined
              ? `it has no caption, ${captioned} of ${found.length} have one`
              : undefined;
    if (why !== undefined) faults.push({ path: pathOf(each), why });
    else {
      pictures.push(new PlacedPicture(each, label as number));
      if (labelled > 0) classes = Math.max(classes, (label as number) + 1);
    }
  }
  return { ...rest, pictures, classes, hasCaptions: captioned > 0, bad: faults };
}

const notesIn = (notes: readonly string[]): string => (notes.length > 0 ? ` (${notes.join("; ")})` : "");
