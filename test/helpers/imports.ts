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
  const add = (specifier: string, typeOnly: boolean) => {
    const external = !specifier.startsWith(".");
    const to = external ? packageOf(specifier) : join(dirname(file), specifier);
    found.push({ from: file, to, external, typeOnly });
  };
  for (const [, type, clause, specifier] of code.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?([^"';]*?\bfrom\s+)?"([^"]+)"/gm,
  )) {
    add(specifier, type !== undefined || onlyTypes(clause));
  }
  for (const [, typeOf, specifier] of code.matchAll(/(typeof\s+)?\bimport\(\s*"([^"]+)"/g))
    add(specifier, typeOf !== undefined);
  return found;
}

/** Whether a clause names members that are all marked `type`. */
function onlyTypes(clause: string | undefined): boolean {
  const members = clause
    ?.match(/^\{([^}]*)\}\s*from\s*$/)?.[1]
    .split(",")
    .map((name) => name.trim());
  return members?.filter(Boolean).every((name) => name.startsWith("type ")) ?? false;
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
