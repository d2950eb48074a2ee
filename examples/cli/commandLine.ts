/** What the words of the command line ask for. */
import { failure, suggestion } from "../../core/errors.ts";
import type { Given } from "./command.ts";
import { commands } from "./commands.ts";
import { errorText, exitStatus, VERBOSE } from "./exitStatus.ts";
import { manual, overview } from "./help.ts";
import { parseFlags } from "./parseFlags.ts";
import { version } from "./version.ts";

/** @param understood hears what a command was given */
async function main([name, ...words]: readonly string[], understood: (given: Given) => void): Promise<number> {
  const print = (text: string) => {
    process.stdout.write(`${text}\n`);
    return 0;
  };
  const command = commands.find((each) => each.name === (name === "help" ? words[0] : name));
  if (name === "--version" || name === "-v") return print(version());
  if (command && (name === "help" || words.includes("--help") || words.includes("-h")))
    return print(await manual(command));
  if (name === undefined || ["help", "--help", "-h"].includes(name)) return print(overview(commands));
  if (command) {
    const given = parseFlags(command, words);
    understood(given);
    const { run } = await command.load();
    return run(given);
  }
  const names = commands.map((each) => each.name);
  throw failure("E_USAGE", `Cannot run "${name}": it is not one of ${names.join(", ")}${suggestion(name, names)}`);
}

// A closed pipe (`onestep plugins | head`) is the reader's wish to stop, not a fault; a run goes on without its reader.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (process.argv[2] !== "train") process.exit(code === "EPIPE" ? 0 : 1);
});
process.stderr.on("error", () => {});

/** Runs the command; resolves with the exit status. Rejects where the program itself could not be read. */
export async function commandLine(words: readonly string[]): Promise<number> {
  const told = words.filter((word) => word !== VERBOSE);
  let given: Given | undefined;
  try {
    return await main(told, (understood) => {
      given = understood;
    });
  } catch (error) {
    // An error of the system's own, not one of ours about a file of the user's.
    if (["EMFILE", "ENFILE"].includes((Object(error) as NodeJS.ErrnoException).code ?? "")) throw error;
    process.stderr.write(`${errorText(error, told.length < words.length, given)}\n`);
    return exitStatus(error);
  }
}
