/** What a command that follows another has to be told again, as no folder has it: plugin files, and the device with its bits. */
import type { Given } from "./command.ts";
import { commands } from "./commands.ts";

const AGAIN = ["plugin", "device"];

/** These flags of a command line as a command of this name takes them, each with a space before it. */
export function sameFlags(given: Given, name: string): string {
  const known = commands.find((each) => each.name === name)?.flags ?? {};
  const taken = AGAIN.filter((flag) => Object.hasOwn(known, flag));
  return taken.flatMap((flag) => given.all(flag).map((text) => ` --${flag} ${asWord(text)}`)).join("");
}

/** A text in which commands on something, such as `onestep replay runs/mine --step 5`, stand in backquotes: with these flags. */
export const withSameFlags = (text: string, given: Given): string =>
  text.replaceAll(/`onestep (\w+) ([^`]*)`/g, (whole, name: string, rest: string) =>
    /--(help|plugin|device)\b/.test(rest) ? whole : `\`onestep ${name} ${rest}${sameFlags(given, name)}\``,
  );

/** A text as a shell takes it for one word. */
const asWord = (text: string): string => (/\s/.test(text) ? `"${text}"` : text);
