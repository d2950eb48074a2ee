/** Presses closer than this (milliseconds) are one: a terminal and a parent process may both pass on the same Ctrl-C. */
const SAME_PRESS_MS = 500;

/** Exit code of a program ended by Ctrl-C, by the convention 128 + signal number. */
const INTERRUPTED = 130;

/**
 * Calls `ask` at the first Ctrl-C, SIGTERM, or SIGHUP (the terminal is closed), so that the run can end its step and keep a
 * checkpoint; a second Ctrl-C or SIGTERM calls `kill`, by default an immediate exit. Returns the function that ends the watch.
 */
export function onInterrupt(ask: () => void, kill: () => void = () => process.exit(INTERRUPTED)): () => void {
  let first: number | undefined;
  const press = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      ask();
      // Shells and systems hang up more than once; nobody presses that.
    } else if (now - first > SAME_PRESS_MS && signal !== "SIGHUP") kill();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, press);
  return () => {
    for (const signal of signals) process.off(signal, press);
  };
}
