import { commandName } from "./asStarted.ts";
import type { Command, Flag } from "./command.ts";

/** The page of `onestep --help`. */
export function overview(commands: readonly Command[]): string {
  return [
    "onestep distils diffusion models into generators of one to four steps.",
    "",
    `usage: ${commandName()} <command> [flags]`,
    "",
    "commands",
    ...rows(commands.map(({ name, operands, about }) => [`${name} ${operands}`.trim(), about])),
    "",
    "flags",
    ...rows([
      ["--help", "this page; after a command, that command's"],
      ["--version", "the version of onestep"],
      ["--verbose", "with any command: errors with whole lists, such as all names of weights that do not fit"],
    ]),
    "",
    "examples",
    ...commands.flatMap(({ examples }) => `  ${commandName()} ${examples[0]}`),
    "",
    "exit status: 0 done, 1 failed, 2 a flag, option or plugin is wrong, 130 stopped with Ctrl-C",
  ].join("\n");
}

/** The page of `onestep <command> --help`. */
export async function manual(command: Command): Promise<string> {
  const { name, about, operands, flags, examples, more } = command;
  const optional = Object.keys(flags).length > 0 ? "[flags]" : "";
  return [
    about,
    "",
    `usage: ${commandName()} ${[name, operands, optional].filter(Boolean).join(" ")}`,
    ...(optional ? ["", "flags", ...rows(Object.entries(flags).map(([flag, spec]) => flagRow(flag, spec)))] : []),
    ...(more ? ["", await more.call(command)] : []),
    "",
    "examples",
    ...examples.map((line) => `  ${commandName()} ${line}`),
  ].join("\n");
}

const flagRow = (flag: string, { value = "VALUE", type, multiple, about }: Flag): [string, string] => [
  `--${flag}${type === "string" ? ` ${value}` : ""}`,
  `${about}${multiple ? " (may repeat)" : ""}`,
];

/** Lines of a name and a sentence, aligned. */
export function rows(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}
