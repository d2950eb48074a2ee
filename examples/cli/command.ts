/** One flag of a command. */
export interface Flag {
  readonly type: "string" | "boolean";
  /** Given without a value it is there all the same: the command lists what it takes. */
  readonly lists?: boolean;
  /** Its value may be left out: a word after it that is not of this form stands for itself. Its text is empty then. */
  readonly optional?: RegExp;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** What stands after it in the help, such as DIR. */
  readonly value?: string;
  readonly about: string;
}

/** What a command was given, checked against its flags. */
export interface Given {
  readonly positionals: readonly string[];
  /** The text of a flag, the last when it was given twice. */
  text(flag: string): string | undefined;
  /** Every text of a flag, in order. */
  all(flag: string): readonly string[];
  on(flag: string): boolean;
}

/** A command of `onestep`: what its help says, and where the code is that `--help` does without. */
export interface Command {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** What stands after the name, such as `<preset|config.json|config.yaml>`. */
  readonly operands: string;
  /** Fewest and most operands. */
  readonly arity: readonly [least: number, most: number];
  readonly flags: Readonly<Record<string, Flag>>;
  /** Command lines that work, without the leading `onestep`. */
  readonly examples: readonly string[];
  /** More text for its help page. */
  more?(): string | Promise<string>;
  /** The code behind it, whose `run` resolves with the exit status. */
  load(): Promise<{ run(given: Given): Promise<number> }>;
}
