import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { failure } from "../../../core/errors.ts";
import { parseJson } from "../../../core/json/mod.ts";

/** How a number was made. Numbers of different protocols are not comparable. */
export interface Protocol {
  /** Denoiser calls per sample, sampler, seed; of samples that were drawn. */
  readonly drawn?: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly reference: Readonly<Record<string, unknown>>;
  /** Every option of the metrics, and of the networks that they look through. */
  readonly metrics: unknown;
  readonly extractors: unknown;
}

/** A stored evaluation. */
export interface Report {
  readonly samples: string;
  readonly protocol: Protocol;
  readonly metrics: Readonly<Record<string, number>>;
}

/** SHA-256 of a file, as the first 16 letters of hex: names its content, wherever it lies. */
export async function contentOf(path: string): Promise<string | undefined> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Uint8Array);
  return hash.digest("hex").slice(0, 16);
}

/** Options with each path of a file replaced by what it holds, so that the same file elsewhere is the same protocol. */
export async function withContents(value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map(withContents));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(async ([name, each]) => [name, await withContents(each)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
  if (typeof value !== "string" || value === "") return value;
  const content = await contentOf(value);
  return content === undefined ? value : `sha256 ${content}`;
}

/** A stored evaluation from its text. Throws E_DATA. */
export function readReport(text: string, path: string): Report {
  let report: unknown;
  try {
    report = parseJson(text);
  } catch (error) {
    throw failure("E_DATA", `Cannot read ${path}: ${(error as Error).message}`);
  }
  const { samples, protocol, metrics } = (report ?? {}) as Partial<Report>;
  const numbers = typeof metrics === "object" && metrics !== null ? Object.values(metrics) : [];
  if (
    typeof samples !== "string" ||
    typeof protocol !== "object" ||
    protocol === null ||
    numbers.length === 0 ||
    !numbers.every(Number.isFinite)
  )
    throw failure("E_DATA", `Cannot read ${path}: it is no evaluation, should be a file of onestep evaluate --out`);
  return report as Report;
}

/** Where two protocols differ, by path: `count: 100 and 200`. */
export function differences(a: unknown, b: unknown, path = ""): string[] {
  const [one, other] = [a, b].map((each) => (typeof each === "object" && each !== null ? (each as object) : undefined));
  if (!one || !other) return Object.is(a, b) ? [] : [`${path}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
  const member = (of: object, name: string) =>
    Object.hasOwn(of, name) ? (of as Record<string, unknown>)[name] : undefined;
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].flatMap((name) =>
    differences(member(one, name), member(other, name), path ? `${path}.${name}` : name),
  );
}
