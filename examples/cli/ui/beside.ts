/** Starts the page of a run that trains in this process, in a process of its own: a page that is looked at takes nothing from it. */
import { spawn } from "node:child_process";
import { type ErrorCode, failure } from "../../../core/errors.ts";
import { parseCommand } from "../../../core/train/loop/parseCommand.ts";
import type { Command } from "../../../core/train/mod.ts";
import { portOf } from "./port.ts";

/** Set in the process that serves the page. */
export const INSIDE = "ONESTEP_UI_INSIDE";

/** What that process tells. */
export interface Outward {
  readonly address?: string;
  readonly refused?: { readonly code?: string; readonly message: string; readonly fix?: string };
  readonly command?: Command;
}

/** The page beside a run. */
export interface PageBeside {
  readonly address: string;
  /** Calls `take` with each command of the page from now on. */
  onCommand(take: (command: Command) => void): void;
  /** Shows what has happened until now, and ends. */
  close(): Promise<void>;
}

/** Milliseconds for which the page is waited for when it ends. */
const PATIENCE = 3000;

/**
 * @param path the run's folder, which may not be there yet
 * @param lost hears why the page has ended before `close`
 * @throws E_USAGE or E_PORT where the port is none or can't be used
 */
export async function pageBeside(path: string, port: string, lost: (why: string) => void): Promise<PageBeside> {
  portOf(port);
  const words = ["ui", path, ...(port === "" ? [] : ["--port", port])];
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1], ...words], {
    env: { ...process.env, [INSIDE]: "1" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  /** Commands that came before there was a run to take them. */
  const early: Command[] = [];
  let take: (command: Command) => void = (command) => void early.push(command);
  let closing = false;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      reject(failure("E_PORT", `Cannot show the page: its process ended with ${code}`));
      if (!closing) lost(`the page has ended with ${code}; the run goes on, and \`onestep ui\` shows it`);
    });
    child.on("message", ({ address, refused, command }: Outward) => {
      if (address !== undefined) resolve(address);
      if (refused) {
        closing = true;
        reject(failure((refused.code ?? "E_PORT") as ErrorCode, refused.message, { fix: refused.fix }));
      }
      // Checked here as well: this is the process that would do it.
      if (command) take(parseCommand(JSON.stringify(command)));
    });
  });
  // The channel holds the process while the run is paused, when nothing else does.
  return {
    address,
    onCommand: (listener) => {
      take = listener;
      for (const command of early.splice(0)) take(command);
    },
    async close() {
      closing = true;
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
      await ended;
      clearTimeout(timer);
    },
  };
}
