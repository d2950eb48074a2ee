import { files } from "../../backends/host/files.ts";
import { failure, OnestepError } from "../../core/errors.ts";
import {
  fileBytes,
  isNpy,
  isZip,
  mayBeTorch,
  openNpz,
  openSafetensors,
  openTorch,
  openZip,
  PICTURE_HEADER_BYTES,
  pictureHeader,
  readNpyHeader,
} from "../../core/io/mod.ts";
import { runFolder } from "../../core/train/files/runFolder.ts";
import { parseWeightsInfo } from "../../core/train/files/weightsFile.ts";
import { table } from "../../plugins/observers/mod.ts";
import { weightsName } from "../../plugins/pipelines/shared/partFolder.ts";
import { asStarted } from "./asStarted.ts";
import type { Given } from "./command.ts";
import {
  inspectDataFile,
  inspectDataFolder,
  inspectPictureFolder,
  inspectPictureZip,
  inspectShards,
} from "./inspectData.ts";
import { toldFile, toldFolder } from "./models/inspect.ts";
import { statOf } from "./statOf.ts";
import { scalesOf } from "./toldScale.ts";

/** What a file or folder holds, in lines, and what to do with it. */
export interface Found {
  readonly what: string;
  /** More of it, a line each. */
  readonly details?: readonly string[];
  readonly rows?: readonly (readonly string[])[];
  /** How many rows there are, where not all of them were made. */
  readonly total?: number;
  readonly use?: string;
}

/** Tensors that are listed without --all. */
const LISTED = 20;

/** Says what a file or folder is, and which command takes it. Nothing in it is run. */
export async function run(given: Given): Promise<number> {
  process.stdout.write(`${await inspected(given.positionals[0], given.on("all"))}\n`);
  return 0;
}

/** What is said of a file or folder, with the first of its tensors or with all. Throws E_FILE, E_DATA or E_CHECKPOINT. */
export async function inspected(path: string, isWhole: boolean): Promise<string> {
  const {
    what,
    details = [],
    rows = [],
    total = rows.length,
    use,
  } = await found(path, isWhole ? Number.POSITIVE_INFINITY : LISTED);
  const shown = isWhole ? rows : rows.slice(0, LISTED);
  const lines = [`${path}: ${printable(what)}`, ...details.map(printable)];
  if (shown.length > 0) lines.push(table(shown.map((row) => row.map(printable))));
  if (shown.length < total) lines.push(`and ${total - shown.length} more; --all lists them`);
  if (use) lines.push(asStarted(use));
  return lines.join("\n");
}

/** @param listed rows that are shown, where making one takes time */
async function found(path: string, listed: number): Promise<Found> {
  const stat = statOf(path);
  if (!stat && /\{.*\}.*\.tar$/.test(path)) return inspectShards(path, listed);
  if (!stat) throw failure("E_FILE", `Cannot inspect ${path}: there is no such file or folder`);
  return stat.isDirectory() ? inspectFolder(path, listed) : inspectFile(path, listed);
}

/** Whether names in a folder are those of a model, or of one of its parts. */
const isModelFolder = (names: readonly string[]): boolean =>
  names.includes("model_index.json") ||
  (names.includes("unet") && names.includes("vae")) ||
  (names.includes("config.json") && weightsName(names) !== undefined);

/** Letters of a name that are shown. */
const LONGEST = 200;

/** A name out of a file: neither a book, nor what moves the cursor of a terminal. */
const printable = (text: string): string =>
  (text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text).replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

async function inspectFolder(path: string, listed: number): Promise<Found> {
  const folder = runFolder(files, path);
  const names = await files.list(path);
  if (isModelFolder(names)) return toldFolder(path);
  if (await folder.holdsRun()) {
    const weights = names.filter((name) => name.endsWith(".safetensors"));
    return {
      what: `a run with weights of ${weights.map((name) => name.replace(/\.safetensors$/, "")).join(", ") || "nothing yet"}`,
      use: `tell what happened in it with \`onestep doctor ${path}\`, draw with \`onestep sample ${path}\``,
    };
  }
  const data = (await inspectDataFolder(path, listed)) ?? (await inspectPictureFolder(path, listed));
  if (data) return data;
  const ending = (name: string) => name.match(/\.[a-z0-9]+$/i)?.[0].toLowerCase() ?? "no ending";
  const kinds = new Map<string, number>();
  let folders = 0;
  // A link may lead nowhere.
  for (const name of names)
    if (statOf(files.join(path, name))?.isDirectory()) folders++;
    else kinds.set(ending(name), (kinds.get(ending(name)) ?? 0) + 1);
  const rows = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, count]) => [kind, String(count)]);
  const what = `a folder with ${folders} folders and ${names.length - folders} files`;
  const use = `once the folders hold pictures, train on them with \`onestep train pictures --data ${path}\``;
  return { what, rows, ...(folders > 0 && { use }) };
}

async function inspectFile(path: string, listed: number): Promise<Found> {
  const source = await fileBytes(files, path);
  const start = await source.read(0, Math.min(source.size, PICTURE_HEADER_BYTES));
  const picture = pictureHeader(start);
  if ("format" in picture) {
    const { format, width, height, channels } = picture;
    return { what: `a ${format} picture of ${width} x ${height} pixels, ${channels === 1 ? "grey" : "RGB"}` };
  }
  if (isZip(start)) {
    const entries = Object.keys(await openZip(source));
    if (entries.some((name) => /(^|\/)data\.pkl$/.test(name))) return inspectTorch(path);
    if (entries.length > 0 && entries.every((name) => name.endsWith(".npy"))) return inspectNpz(path);
    const pictures = await inspectPictureZip(path, listed);
    if (pictures) return pictures;
    return { what: `a zip archive of ${entries.length} files`, rows: entries.map((name) => [name]) };
  }
  const data = await inspectDataFile(path, listed);
  if (data) return data;
  if (mayBeTorch(start)) return inspectTorch(path);
  if (isNpy(start)) {
    const { dtype, shape } = await readNpyHeader((length) => source.read(0, length), source.size, path);
    return { what: `an array of NumPy, ${dtype} [${shape.join(", ")}]` };
  }
  if (path.endsWith(".safetensors")) return inspectSafetensors(path);
  if (picture.isPicture) throw failure("E_DATA", `Cannot inspect ${path}: ${picture.fault}`);
  throw failure("E_DATA", `Cannot inspect ${path}: it begins like no weights, archive, array or picture`, {
    fix: "name weights (.safetensors, .pt, .pth, .bin, .pkl), an archive (.npz, .zip, .tar), a picture, a list of prompts (.txt), or a folder; files of MNIST and CIFAR-10 are read by `onestep train` with --data",
  });
}

async function inspectSafetensors(path: string): Promise<Found> {
  const { tensors, metadata } = await openSafetensors(files, path);
  const isOurs = "onestep" in metadata;
  const told = await toldFile(path, Object.keys(tensors));
  const own = isOurs ? ownLine(metadata.onestep, path) : [];
  return {
    what: `a safetensors file of ${counted(Object.values(tensors))}${isOurs ? ", weights that onestep wrote" : ""}`,
    details: [...own, ...(told ? [told.what, ...(told.details ?? [])] : [])],
    rows: rowsOf(tensors),
    use: isOurs ? `draw with \`onestep sample ${path}\`` : told?.use,
  };
}

/** Whose weights a run wrote, and which guidance they know; nothing where the manifest can't be read. */
function ownLine(manifest: string, path: string): string[] {
  try {
    const info = parseWeightsInfo(manifest, path);
    const { least, most, usual } = scalesOf(info) ?? {};
    const range = least === most ? `${usual}` : `from ${least} to ${most}, ${usual} where nobody says another`;
    return [`the ${info.role} of a run${usual === undefined ? "" : `, told a guidance scale ${range}`}`];
  } catch (error) {
    if (!(error instanceof OnestepError)) throw error;
    return [];
  }
}

async function inspectTorch(path: string): Promise<Found> {
  const { tensors, values, networks } = await openTorch(await fileBytes(files, path));
  const named = Object.entries(networks).map(([name, { className }]) => `${className} (${name || "the whole file"})`);
  const parts = [counted(Object.values(tensors)), `${Object.keys(values).length} other values`, ...named];
  const told = await toldFile(path, Object.keys(tensors));
  const details = told && [told.what, ...(told.details ?? [])];
  return { what: `a PyTorch file of ${parts.join(", ")}`, details, rows: rowsOf(tensors), use: told?.use };
}

async function inspectNpz(path: string): Promise<Found> {
  const arrays = await openNpz(await fileBytes(files, path));
  const rows: string[][] = [];
  for (const [name, entry] of Object.entries(arrays)) {
    // One that is not read leaves the others readable.
    const row = await entry.header().then(
      ({ dtype, shape }) => [dtype, `[${shape.join(", ")}]`],
      (error: Error) => {
        if (!(error instanceof OnestepError)) throw error;
        return ["not read", error.message.slice(error.message.indexOf(": ") + 2)];
      },
    );
    rows.push([name, ...row]);
  }
  const isStatistics = "mu" in arrays && "sigma" in arrays;
  return {
    what: `an archive of ${rows.length} arrays of NumPy`,
    rows,
    use: isStatistics
      ? `compare samples with it: \`onestep evaluate SAMPLES --reference ${path} --metric fid\``
      : `judge images in it: \`onestep evaluate ${path} --reference REFERENCE --metric NAMES\``,
  };
}

type Listed = { readonly dtype: string; readonly shape: readonly number[] };

const rowsOf = (tensors: Readonly<Record<string, Listed>>): string[][] =>
  Object.entries(tensors).map(([name, { dtype, shape }]) => [name, dtype, `[${shape.join(", ")}]`]);

function counted(tensors: readonly Listed[]): string {
  const numbers = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  return `${tensors.length} tensors, ${numbers.toLocaleString("en")} numbers`;
}
