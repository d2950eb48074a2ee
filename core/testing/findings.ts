import { type ConfiguredPlugin, definePlugin } from "../plugin/mod.ts";
import { checkPlugin } from "./checkPlugin.ts";

/** The problems of a plugin, gathered so that one error lists them all. */
export class Findings {
  readonly #problems: string[] = [];
  readonly #name: string;

  /** Begins with what `checkPlugin` says of the plugin and its options. */
  constructor({ name, definition, options }: ConfiguredPlugin) {
    this.#name = name;
    try {
      checkPlugin(definePlugin(definition), options);
    } catch (error) {
      this.add(reasonOf(error).replace(`Cannot accept plugin ${name}: `, ""));
    }
  }
  add(problem: string): void {
    if (!this.#problems.includes(problem)) this.#problems.push(problem);
  }
  check(holds: boolean, problem: string): void {
    if (!holds) this.add(problem);
  }
  /** Runs a part of the test; what it throws is a problem, and the other parts go on. */
  async part(does: string, run: () => unknown): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.add(`${does}: ${reasonOf(error)}`);
    }
  }
  /** Throws the error, unless there is no problem. */
  settle(): void {
    if (this.#problems.length > 0) throw new Error(`Cannot accept plugin ${this.#name}: ${this.#problems.join("; ")}`);
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);
