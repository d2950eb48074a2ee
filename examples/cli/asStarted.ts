/** The command as it has to be typed here: the name `onestep` works only where it is installed. */
import { existsSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";

/** What tells how the program was started; a test gives its own. */
interface Start {
  /** The program's file. */
  readonly script: string;
  /** Folders in which a shell looks for commands. */
  readonly path: readonly string[];
  readonly has: (file: string) => boolean;
}

const thisStart = (): Start => ({
  script: process.argv[1] ?? "",
  path: (process.env.PATH ?? "").split(delimiter),
  has: existsSync,
});

/** `npm run onestep --` in a clone, `onestep` where it is installed for all, else what finds it in node_modules. */
export function commandName({ script, path, has }: Start = thisStart()): string {
  const folder = dirname(script);
  // Where build.mjs puts it.
  if (basename(folder) === "cli" && has(join(folder, "../../build.mjs"))) return "npm run onestep --";
  // npm and npx add folders of their own, which are gone when they end.
  const lasting = path.filter((each) => each !== "" && !each.replaceAll("\\", "/").endsWith("node_modules/.bin"));
  const installed = lasting.some((each) => ["onestep", "onestep.cmd"].some((name) => has(join(each, name))));
  return installed ? "onestep" : "npx --no-install onestep";
}

/** A text in which commands, such as `onestep doctor`, stand in backquotes, with them as they have to be typed. */
export const asStarted = (text: string, command: string = commandName()): string =>
  text.replaceAll(/`onestep(?=[ `])/g, `\`${command}`);
