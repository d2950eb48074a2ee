#!/usr/bin/env node
import { failure, suggestion } from "../../core/errors.ts";
import { conformance } from "../../test/conformance/command.ts";
import { bench } from "./bench.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { errorText, exitStatus } from "./exitStatus.ts";
import { manual, overview } from "./help.ts";
import { pairs } from "./pairs.ts";
import { parseFlags } from "./parseFlags.ts";
import { plan } from "./plan/command.ts";
import { plugins } from "./plugins.ts";
import { sample } from "./sample.ts";
import { train } from "./train.ts";
import { version } from "./version.ts";

const commands: readonly Command[] = [
  train,
  sample,
  pairs,
  plan,
  bench,
  conformance,
  doctor,
  plugins,
];

async function main([name, ...words]: readonly string[]): Promise<number> {
  const print = (text: string) => {
    process.stdout.write(`${text}\n`);
    return 0;
  };
  const command = commands.find((each) => each.name === (name === "help" ? words[0] : name));
  if (name === "--version" || name === "-v") return print(version());
  if (command && (name === "help" || words.includes("--help") || words.includes("-h")))
    return print(manual(command));
  if (name === undefined || ["help", "--help", "-h"].includes(name))
    return print(overview(commands));
  if (command) return command.run(parseFlags(command, words));
  const names = commands.map((each) => each.name);
  throw failure(
    "E_USAGE",
    `Cannot run "${name}": it is not one of ${names.join(", ")}${suggestion(name, names)}`,
  );
}

// A closed pipe (`onestep plugins | head`) is the reader's wish to stop, not a fault.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === "EPIPE" ? 0 : 1),
);

try {
  // Not process.exit: what is still to be printed gets printed, and a handle left open would be seen.
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = exitStatus(error);
}
