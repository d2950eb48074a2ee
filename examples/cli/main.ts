#!/usr/bin/env node
// The parts of the program are files too. None is imported before the lines that say so when the system opens no more.
try {
  const { commandLine } = await import("./commandLine.ts");
  // Not process.exit: what is still to be printed gets printed, and a handle left open would be seen.
  process.exitCode = await commandLine(process.argv.slice(2));
} catch (error) {
  const { code } = Object(error) as NodeJS.ErrnoException;
  if (code !== "EMFILE" && code !== "ENFILE") throw error;
  process.stderr.write(
    "error E_FILE: Cannot load the command: too many files are open\nfix: raise the limit: `ulimit -n 1024`\n",
  );
  process.exitCode = 1;
}
