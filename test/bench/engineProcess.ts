import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { FailureReply, Hello, Request } from "./protocol.ts";

/** How to start an engine. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Longest wait for one answer: a first step compiles hundreds of shaders. */
const PATIENCE_MS = 10 * 60_000;
const STDERR_KEPT = 2000;

/** An engine in a process of its own. What goes wrong in it, a crash included, rejects the request that is under way. */
export class EngineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #errors = "";
  #waiting: { resolve(reply: object): void; reject(error: Error): void } | undefined;
  #ended: string | undefined;
  #about = "";

  private constructor({ command, args, env }: Launch) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env } });
    this.#child.stdin.on("error", () => {}); // it ended; `close` tells
    this.#child.stderr.on("data", (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-STDERR_KEPT);
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      if (!line.startsWith("{")) return;
      this.#waiting?.resolve(JSON.parse(line));
      this.#waiting = undefined;
    });
    this.#child.on("error", ({ message }) => this.#end(message));
    this.#child.on("close", (code, signal) => {
      const last = this.#errors
        .trim()
        .split("\n")
        .findLast((line) => /\w*Error\b/.test(line));
      this.#end(`${last?.trim() ?? "it ended"} (${signal ?? `exit status ${code}`})`);
    });
  }

  /** Resolves when the engine is open. */
  static async start(launch: Launch): Promise<EngineProcess> {
    const engine = new EngineProcess(launch);
    try {
      const { about } = await engine.#answer<Hello>();
      engine.#about = about;
    } catch (error) {
      engine.kill();
      throw error;
    }
    return engine;
  }

  get about(): string {
    return this.#about;
  }
  get alive(): boolean {
    return this.#ended === undefined;
  }

  async ask<Reply extends object>(request: Request): Promise<Reply> {
    if (this.#ended) throw new Error(this.#ended);
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.#answer<Reply>();
  }

  async #answer<Reply extends object>(): Promise<Reply> {
    let timer: NodeJS.Timeout | undefined;
    const reply = await new Promise<object>((resolve, reject) => {
      if (this.#ended) return reject(new Error(this.#ended));
      this.#waiting = { resolve, reject };
      timer = setTimeout(() => {
        this.kill();
        reject(new Error(`no answer for ${PATIENCE_MS / 60_000} minutes`));
      }, PATIENCE_MS);
    }).finally(() => clearTimeout(timer));
    if ("failed" in reply) throw new Error((reply as FailureReply).failed);
    return reply as Reply;
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#waiting?.reject(new Error(this.#ended));
    this.#waiting = undefined;
  }

  /** Lets it end by itself, and helps after a while. */
  async close(): Promise<void> {
    if (!this.alive) return;
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    const timer = setTimeout(() => this.kill(), 5000);
    this.#child.stdin.end();
    await gone;
    clearTimeout(timer);
  }
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
