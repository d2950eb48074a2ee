#!/usr/bin/env node
import { failure, suggestion } from "../../core/errors.ts";
import { commands } from "./commands.ts";
import { errorText, exitStatus, VERBOSE } from "./exitStatus.ts";
import { manual, overview } from "./help.ts";
import { parseFlags } from "./parseFlags.ts";
import { version } from "./version.ts";

async function main([name, ...words]: readonly string[]): Promise<number> {
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
    const { run } = await command.load();
    return run(given);
  }
  const names = commands.map((each) => each.name);
  throw failure("E_USAGE", `Cannot run "${name}": it is not one of ${names.join(", ")}${suggestion(name, names)}`);
}

/** The parts of the program are files too, and are read when they are needed. */
function tooManyFiles(error: unknown): Error | undefined {
  const { code } = Object(error) as NodeJS.ErrnoException;
  if (code !== "EMFILE" && code !== "ENFILE") return undefined;
  const fix = "raise the limit: `ulimit -n 1024`";
  return failure("E_FILE", "Cannot load the command: too many files are open", { cause: error, fix });
}

// A closed pipe (`onestep plugins | head`) is the reader's wish to stop, not a fault; a run goes on without its reader.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (process.argv[2] !== "train") process.exit(code === "EPIPE" ? 0 : 1);
});
process.stderr.on("error", () => {});

const words = process.argv.slice(2);
const told = words.filter((word) => word !== VERBOSE);
try {
  // Not process.exit: what is still to be printed gets printed, and a handle left open would be seen.
  process.exitCode = await main(told);
} catch (caught) {
  const error = tooManyFiles(caught) ?? caught;
  process.stderr.write(`${errorText(error, told.length < words.length)}\n`);
  process.exitCode = exitStatus(error);
}
