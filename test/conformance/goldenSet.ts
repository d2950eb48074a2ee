import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { failure, suggestion } from "../../core/errors.ts";
import { decodeSafetensors } from "../../core/io/safetensors.ts";
import { parseJson } from "../../core/json/parseJson.ts";
import { isRecord } from "../../core/plugin/spec.ts";
import { GoldenCase, type ManifestCase } from "./goldenCase.ts";

/** A folder of reference numbers: a manifest and one safetensors file a case. */
export class GoldenSet {
  readonly folder: string;
  readonly entries: readonly ManifestCase[];
  /** Files that have to be refused. */
  readonly hostile: readonly string[];
  readonly #read = new Map<string, GoldenCase>();

  /** @throws E_DATA when the folder has no manifest, or one that lists no cases */
  constructor(folder: string) {
    this.folder = folder;
    const { cases, raw_files: raw = [] } = manifestOf(folder);
    this.entries = cases;
    this.hostile = raw.flatMap(({ file, must_reject: isHostile }) => (isHostile ? [file] : []));
  }

  /**
   * A case by name, without `.safetensors`; kept, since cases share files of weights.
   * @throws E_DATA when the manifest has no such case or its file can't be read
   */
  case(name: string): GoldenCase {
    const known = this.#read.get(name);
    if (known) return known;
    const file = `${name}.safetensors`;
    const entry = this.entries.find((each) => each.file === file);
    if (!entry) {
      const names = this.entries.map((each) => each.file.replace(/\.safetensors$/, ""));
      throw failure("E_DATA", `Cannot find case ${name} in ${this.folder}${suggestion(name, names)}`);
    }
    const { tensors } = decodeSafetensors(this.bytes(file), name);
    const read = new GoldenCase(name, entry, tensors);
    this.#read.set(name, read);
    return read;
  }

  /** Any file of the folder. */
  bytes(file: string): Uint8Array {
    try {
      return new Uint8Array(plainFile(join(this.folder, file)));
    } catch (error) {
      throw failure("E_DATA", `Cannot read ${join(this.folder, file)}: ${(error as Error).message}`);
    }
  }
}

interface Manifest {
  readonly cases: readonly ManifestCase[];
  readonly raw_files?: readonly { readonly file: string; readonly must_reject?: boolean }[];
}

/** To read a pipe is to wait for its other end. */
function plainFile(path: string): Buffer {
  if (!statSync(path).isFile()) throw new Error("it is no plain file, one should be there");
  return readFileSync(path);
}

const isCase = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.file === "string" &&
  /^[\w.-]+\.safetensors$/.test(value.file) &&
  typeof value.group === "string" &&
  isRecord(value.tensors);

const isRaw = (value: unknown): boolean =>
  isRecord(value) && typeof value.file === "string" && /^[\w.-]+$/.test(value.file);

function manifestOf(folder: string): Manifest {
  const path = join(folder, "manifest.json");
  const refuse = (why: string) =>
    failure("E_DATA", `Cannot read golden cases from ${path}: ${why}`, {
      fix: "name a folder with a manifest.json and the safetensors files it lists",
    });
  let manifest: Manifest;
  try {
    manifest = parseJson(plainFile(path).toString()) as typeof manifest;
  } catch (error) {
    throw refuse((error as Error).message);
  }
  if (!Array.isArray(manifest?.cases) || manifest.cases.length === 0) throw refuse("it has no list of cases");
  const odd = manifest.cases.findIndex((each) => !isCase(each));
  if (odd >= 0) throw refuse(`case ${odd} should have a file and a group, both texts, and tensors`);
  const raw: unknown = manifest.raw_files ?? [];
  if (!Array.isArray(raw) || !raw.every(isRaw))
    throw refuse("its raw_files should be a list of names of files in the folder");
  return manifest;
}
