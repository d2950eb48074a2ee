import { createHash } from "node:crypto";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { failure } from "../../../core/errors.ts";
import type { Encoder, Extractor } from "../../../core/interfaces/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { weightsHash } from "../../../core/nn/mod.ts";
import { isRecord } from "../../../core/plugin/spec.ts";
import { statOf } from "../statOf.ts";

/** How a number was made. Numbers of different protocols are not comparable. */
export interface Protocol {
  /** A protocol of the paper that was asked for; all that it decides stands below. */
  readonly name?: string;
  /** Denoiser calls per sample, sampler, seed, prompts; of samples that were drawn. */
  readonly drawn?: Readonly<Record<string, unknown>>;
  readonly count: number;
  /** Shape of a sample; of files also what is done as they are read, such as cropping. */
  readonly samples: Readonly<Record<string, unknown>>;
  /** Its content as a hash, and how it is read. */
  readonly reference: Readonly<Record<string, unknown>>;
  /** Every option of the metrics: how values become bytes, sizes, prompt prefixes. */
  readonly metrics: unknown;
  /** Of the networks that they look through, with the content of their weights as a hash. */
  readonly extractors: unknown;
  /** Of the networks that read prompts, where there are some. */
  readonly encoders?: unknown;
}

/** A stored evaluation. */
export interface Report {
  readonly samples: string;
  readonly protocol: Protocol;
  /** Numbers by name; `NAME ±` is half the width of the 95 % interval of `NAME`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What to know about some of the numbers. */
  readonly warnings?: readonly string[];
  /** Where and when it was made; no part of the protocol. */
  readonly made?: Readonly<Record<string, unknown>>;
}

/** Letters of a hash that is shown. */
const SHOWN = 16;

/**
 * SHA-256 of a file, or of the names and contents of all files of a folder, as the first 16 letters of hex: names its content,
 * wherever it lies. Undefined where nothing is.
 */
export async function contentOf(path: string): Promise<string | undefined> {
  const found = statOf(path);
  if (!found) return undefined;
  const hash = createHash("sha256");
  for (const name of found.isDirectory() ? filesBelow(path) : [""]) {
    const file = join(path, name);
    hash.update(found.isDirectory() ? `${name}\0${statSync(file).size}\0` : "");
    for await (const part of createReadStream(file)) hash.update(part as Uint8Array);
  }
  return hash.digest("hex").slice(0, SHOWN);
}

/** Paths of the files of a folder and those below it, sorted, without hidden ones. */
const filesBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
    .filter((name) => !name.split("/").some((part) => part.startsWith(".")))
    .sort();

/** Options of networks with the content of their weights: the same for two files that hold the same tensors. */
export async function withWeights(
  options: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  networks: readonly (Extractor | Encoder)[],
): Promise<unknown> {
  const entries = Object.entries(options).map(async ([name, each]) => {
    const network = networks.find((one) => one.name === name);
    const weights = network && `sha256 ${(await weightsHash(await network.load())).slice(0, SHOWN)}`;
    return [name, { ...((await withContents(each)) as object), ...(weights && { weights }) }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Options with each path of a file replaced by what it holds, so that the same file elsewhere is the same protocol. */
export async function withContents(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map(withContents));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(async ([name, each]) => [name, await withContents(each)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
  if (typeof value !== "string" || value === "" || !statOf(value)?.isFile()) return value;
  const content = await contentOf(value);
  return content === undefined ? value : `sha256 ${content}`;
}

/** A stored evaluation from its text. Throws E_DATA. */
export function readReport(text: string, path: string): Report {
  const fix = "make one with `onestep evaluate … --out FILE.json`";
  let report: unknown;
  try {
    report = parseJson(text);
  } catch (error) {
    throw failure("E_DATA", `Cannot read ${path}: ${(error as Error).message}`, { fix });
  }
  const { samples, protocol, metrics }: Record<string, unknown> = isRecord(report) ? report : {};
  // JSON writes NaN and infinity as null.
  const numbers = Object.entries(isRecord(metrics) ? metrics : {}).map(([name, value]) => [name, value ?? Number.NaN]);
  const isNumbers = numbers.length > 0 && numbers.every(([, value]) => typeof value === "number");
  if (typeof samples !== "string" || !isRecord(protocol) || !isNumbers)
    throw failure("E_DATA", `Cannot read ${path}: it is no evaluation, should be a file of onestep evaluate --out`, {
      fix,
    });
  return { ...(report as unknown as Report), metrics: Object.fromEntries(numbers) };
}

/** Where two protocols differ, by path: `count: 100 and 200`. */
export function differences(a: unknown, b: unknown, path = ""): string[] {
  const [one, other] = [a, b].map((each) => (typeof each === "object" && each !== null ? (each as object) : undefined));
  if (!one || !other) return a === b ? [] : [`${path}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
  const member = (of: object, name: string) =>
    Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : undefined;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((name) =>
    differences(member(one, name), member(other, name), path ? `${path}.${name}` : name),
  );
}
