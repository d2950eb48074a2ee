/** Commands that pages show, taken apart. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Pages with commands: the README, and every one in these folders. */
const FOLDERS = ["core", "plugins", "backends", "wgsl", "examples", "test"];

/** Every page of the repository. */
export const allPages = (): readonly string[] => [
  "README.md",
  ...FOLDERS.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name).replaceAll("\\", "/")),
  ),
];

/** A command of a page. */
export interface PageCommand {
  readonly page: string;
  readonly line: number;
  /** As it stands there. */
  readonly text: string;
  readonly words: readonly string[];
  /** In a block, to be copied and run; else within a sentence, which may leave something out. */
  readonly isWhole: boolean;
}

/** What begins a command of ours in the middle of a sentence. */
const INLINE = /`((?:npm run (?:-s )?onestep -- |onestep )[^`]+)`/g;

/** The commands of a page, in order. */
export function commandsOf(page: string): readonly PageCommand[] {
  const found: PageCommand[] = [];
  let block: string | undefined;
  let rest = "";
  for (const [i, line] of readFileSync(page, "utf8").split("\n").entries()) {
    const [, fence] = line.match(/^ *```(\w*)/) ?? [];
    if (fence !== undefined) {
      block = block === undefined ? fence : undefined;
      continue;
    }
    const add = (text: string, isWhole: boolean) => {
      // What stands for something, such as <run folder>, is one word.
      for (const words of commandsIn(text.replace(/<[^<>]*>|\[[a-z ]+\]/g, "SOMETHING")))
        found.push({ page, line: i + 1, text, words, isWhole });
    };
    if (block === "sh") {
      rest += line.trim();
      if (rest.endsWith("\\")) rest = rest.slice(0, -1);
      else {
        if (rest !== "") add(rest, true);
        rest = "";
      }
    } else if (block === undefined) {
      for (const [, text] of line.matchAll(INLINE)) if (!/[…*]|\.\.\./.test(text)) add(text, false);
    }
  }
  return found;
}

/** The words of each command in a line of a shell, without what is said behind `#` and where the output goes. */
export function commandsIn(line: string): string[][] {
  const commands: string[][] = [[]];
  // A word is made of parts, in quotes or not.
  for (const [, word] of line.matchAll(/\s*((?:'[^']*'|"[^"]*"|[^\s'"])+)/g)) {
    if (word.startsWith("#")) break;
    if (word === "&&" || word === "|") commands.push([]);
    else commands.at(-1)!.push(word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
  }
  return commands.flatMap((words) => {
    const to = words.indexOf(">");
    const own = (to < 0 ? words : words.slice(0, to)).filter((word, i, all) => i > 0 || all.length > 1 || word !== "");
    return own.length > 0 ? [own] : [];
  });
}

/** The words behind `onestep`, by whatever it is started; undefined for a command of another program. */
export function wordsOfOnestep(words: readonly string[]): readonly string[] | undefined {
  const at = words.findIndex((word) => /^(onestep|onestep@\S+)$|cli\/main\.(ts|mjs)$/.test(word));
  const before = words.slice(0, at).filter((word) => !/^\w+=/.test(word));
  const starts = /^(|npm run( -s)?|npx( -y| --no-install)?|deno run( -\S+)*|mpirun( \S+)*|node( -\S+)*)$/;
  if (at < 0 || !starts.test(before.join(" "))) return undefined;
  const own = words.slice(at + 1);
  return own[0] === "--" ? own.slice(1) : own;
}
