import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";

/** One import or re-export of a source file. */
export interface Import {
  /** The importing file, from the project's root. */
  readonly from: string;
  /** The imported file, from the project's root; for a package its name, for a built-in module `node:…`. */
  readonly to: string;
  readonly external: boolean;
  /** Gone when the types are erased. */
  readonly typeOnly: boolean;
  /** The members that it names, by the names they have where they come from. */
  readonly names: readonly string[];
}

/** The TypeScript files below a folder of the project, from its root, sorted. Tests run in the project's root. */
export function sourcesBelow(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch {
    return []; // a folder that does not exist has no sources
  }
  return names
    .filter((name) => name.endsWith(".ts") && !name.includes("node_modules"))
    .map((name) => join(folder, name.replaceAll("\\", "/")))
    .sort();
}

/** Every import of a file. */
export const importsOf = (file: string): Import[] => parseImports(file, readFileSync(file, "utf8"));

/** The imports in the text of a file: static, for side effects, dynamic with a literal, and re-exports. */
export function parseImports(file: string, text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean, members: readonly string[] = []) => {
    const external = !specifier.startsWith(".");
    const to = external ? packageOf(specifier) : join(dirname(file), specifier);
    const names = members.map((each) => each.replace(/^type /, "").replace(/ as .*/, ""));
    found.push({ from: file, to, external, typeOnly, names });
  };
  for (const [, type, clause, specifier] of code.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?([^"';]*?\bfrom\s+)?"([^"]+)"/gm,
  )) {
    const members = membersOf(clause);
    const onlyTypes = members?.every((each) => each.startsWith("type ")) ?? false;
    add(specifier, type !== undefined || onlyTypes, members);
  }
  for (const [, typeOf, specifier] of code.matchAll(/(typeof\s+)?\bimport\(\s*"([^"]+)"/g))
    add(specifier, typeOf !== undefined);
  return found;
}

/** The members in the braces of a clause, with their `type` and `as`. */
function membersOf(clause: string | undefined): string[] | undefined {
  const members = clause?.match(/^\{([^}]*)\}\s*from\s*$/)?.[1].split(",");
  return members?.map((each) => each.trim().replace(/\s+/g, " ")).filter(Boolean);
}

/** Keeps quoted strings, which may contain `//`; drops comments and templates, which may contain imports. */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|`(?:[^`\\]|\\.)*`|\/\/.*|\/\*[\s\S]*?\*\//g,
    (_, quoted) => quoted ?? " ",
  );
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
