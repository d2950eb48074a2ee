import { invariant } from "../../core/errors.ts";

/** A resource of a kernel, as its source declares it. */
export interface Binding {
  readonly group: number;
  readonly index: number;
  readonly access: "read" | "read_write" | "uniform";
  readonly name: string;
  /** WGSL type, such as `array<f32>`. */
  readonly type: string;
}

/** The header of a kernel: the comments at its top. */
export interface Header {
  readonly name: string;
  readonly sentence: string;
  /** Indented lines below the first: what is computed. */
  readonly equation: readonly string[];
  /** Labelled lines in order: shapes, workgroups, …, with their continuations joined. */
  readonly fields: readonly { readonly label: string; readonly text: string }[];
}

/** Labels of a kernel's header, in the order in which they must appear; `uses` may be repeated. */
export const headerLabels = ["shapes", "workgroups", "invocations", "numerics", "oracle", "paper", "uses"] as const;

/** Labels that may be missing. */
export const optionalLabels: readonly string[] = ["paper", "uses"];

const declaration =
  /@group\((\d+)\)\s*@binding\((\d+)\)\s*var<\s*(storage\s*,\s*read_write|storage\s*,\s*read|storage|uniform)\s*>\s*(\w+)\s*:\s*([^;]+);/g;

/** The resources that a WGSL source declares, by binding number. */
export function parseBindings(source: string): Binding[] {
  const found = [...withoutComments(source).matchAll(declaration)].map((match): Binding => {
    const [, group, index, space, name, type] = match;
    const access = space.startsWith("uniform") ? "uniform" : space.includes("read_write") ? "read_write" : "read";
    return { group: Number(group), index: Number(index), access, name, type: type.trim() };
  });
  return found.sort((a, b) => a.group - b.group || a.index - b.index);
}

/** Reads the comments before the first line of code. */
export function parseHeader(source: string): Header {
  const lines: string[] = [];
  for (const line of source.split("\n")) {
    if (!line.startsWith("//")) break;
    lines.push(line.slice(2));
  }
  const [, name, sentence] = lines[0]?.match(/^ (\w+): (.+)$/) ?? [];
  invariant(name, `a kernel starts with "// name: sentence", not with "${source.split("\n", 1)[0]}"`);
  const equation: string[] = [];
  const fields: { label: string; text: string }[] = [];
  for (const line of lines.slice(1)) {
    const label = headerLabels.find((each) => line.match(`^ ${each}(\\s|$)`));
    const last = fields[fields.length - 1];
    if (label) fields.push({ label, text: line.slice(label.length + 1).trim() });
    else if (last) last.text += ` ${line.trim()}`;
    else equation.push(line.trim());
  }
  return { name, sentence, equation, fields };
}

/** Files of wgsl/lib that a source says it uses. */
export const usedLibraries = (source: string): string[] =>
  [...source.matchAll(/^\/\/ uses\s+(.+)$/gm)].flatMap(([, list]) =>
    [...list.matchAll(/lib\/(\w+)/g)].map(([, name]) => name),
  );

/** Names of the pipeline-overridable constants. */
export const parseOverrides = (source: string): string[] =>
  [...withoutComments(source).matchAll(/\boverride\s+(\w+)/g)].map(([, name]) => name);

export const withoutComments = (source: string): string => source.replace(/\/\/.*$/gm, "");
