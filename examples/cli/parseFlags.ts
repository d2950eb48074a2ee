import { parseArgs } from "node:util";
import { failure, suggestion } from "../../core/errors.ts";
import type { Command, Given } from "./command.ts";

/**
 * Reads a command's words. Unlike parseArgs by itself it says which flag was meant.
 * @throws E_USAGE
 */
export function parseFlags(command: Command, words: readonly string[]): Given {
  const { name, flags, arity } = command;
  const fix = `\`onestep ${name} --help\` shows its flags`;
  const refuse = (why: string) => failure("E_USAGE", `Cannot run ${name}: ${why}`, { fix });
  const options = Object.fromEntries(
    // Every flag may repeat here, so that the last one wins by our rule and not by chance.
    Object.entries(flags).map(([flag, { type }]) => [flag, { type, multiple: true }]),
  );
  const optionalOf = (word: string) =>
    word.startsWith("--") && Object.hasOwn(flags, word.slice(2)) ? flags[word.slice(2)].optional : undefined;
  const { tokens } = parseArgs({
    args: words.map((word, i) => (optionalOf(word) && !optionalOf(word)?.test(words[i + 1] ?? "") ? `${word}=` : word)),
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const texts = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name: flag, rawName, value } = token;
    if (!Object.hasOwn(flags, flag)) {
      const known = Object.keys(flags).map((each) => `--${each}`);
      throw refuse(`there is no flag ${rawName}${suggestion(rawName, known)}`);
    }
    if (flags[flag].type === "boolean") {
      if (value !== undefined) throw refuse(`${rawName} takes no value, it has "${value}"`);
      texts.set(flag, []);
    } else if (flags[flag].lists && value === undefined) {
      texts.set(flag, []);
    } else {
      if (value === undefined || value.startsWith("--"))
        throw refuse(`${rawName} needs a value, ${rawName} ${flags[flag].value ?? "VALUE"}`);
      texts.set(flag, [...(texts.get(flag) ?? []), value]);
    }
  }
  const [least, most] = arity;
  const isListing = [...texts].some(([flag, given]) => flags[flag].lists && given.length === 0);
  if (positionals.length < least && !isListing) throw refuse(`it needs ${command.operands}`);
  if (positionals.length > most)
    throw refuse(`there is no place for "${positionals[most]}", expected ${expected(command)}`);
  return {
    positionals,
    text: (flag) => texts.get(flag)?.at(-1),
    all: (flag) => texts.get(flag) ?? [],
    on: (flag) => texts.has(flag),
  };
}

const expected = ({ operands }: Command) => (operands === "" ? "only flags" : operands);
