/**
 * The error catalogue. Every fault a user can cause has a stable code, a class to catch it by, and a way out.
 * Messages follow one grammar: **Cannot <verb> <thing>: <what is>, <what should be>**.
 */

/** One line of the catalogue: the class that carries the code, and what the user can do. */
export interface CatalogueEntry {
  readonly kind: "shape" | "option" | "missing-plugin" | "kernel" | "checkpoint" | "usage";
  readonly fix: string;
}

/** Every code onestep can report, with how to solve it. The README's table is held to this list by a test. */
export const catalogue = {
  E_SHAPE: { kind: "shape", fix: "compare the shapes in the message with the op's signature" },
  E_ARGUMENT: { kind: "shape", fix: "call the op as the message says" },
  E_DTYPE: {
    kind: "shape",
    fix: "convert with toFloat or toInt, or pass the tensor the op expects",
  },
  E_NOT_DIFFERENTIABLE: {
    kind: "shape",
    fix: "wrap the value in stopGradient, or use an op that has a derivative",
  },
  E_OPTION: {
    kind: "option",
    fix: "change the option as the message says; `onestep plugins` lists all",
  },
  E_UNKNOWN_OPTION: { kind: "option", fix: "use one of the names in the message" },
  E_UNKNOWN_PRESET: { kind: "option", fix: "`onestep train --help` lists the presets" },
  E_CONFIG: { kind: "option", fix: "correct the config file at the place the message names" },
  E_MISSING_PLUGIN: {
    kind: "missing-plugin",
    fix: "`onestep plugins` lists what is registered; one of your own is given with --plugin FILE",
  },
  E_DUPLICATE_PLUGIN: { kind: "missing-plugin", fix: "remove one of the two plugins named" },
  E_PLUGIN_FILE: {
    kind: "missing-plugin",
    fix: "export a plugin made with definePlugin as the file's default export",
  },
  E_PLUGIN: {
    kind: "missing-plugin",
    fix: "correct the plugin that the message names",
  },
  E_CYCLE: {
    kind: "missing-plugin",
    fix: "let one of the plugins named ask for the other inside the function it returns",
  },
  E_NO_ADAPTER: {
    kind: "kernel",
    fix: "install a Vulkan driver (`onestep doctor` says which), or run with --device reference",
  },
  E_KERNEL: { kind: "kernel", fix: "report the kernel, the line and the adapter named here" },
  E_DEVICE_LIMIT: { kind: "kernel", fix: "use a smaller batch or network, or another device" },
  E_DEVICE_LOST: { kind: "kernel", fix: "start again with --resume, which goes on from the last checkpoint" },
  E_DIVERGED: {
    kind: "usage",
    fix: "lower the learning rates, or leave such updates out with --set train.nonFinite=skip",
  },
  E_CHECKPOINT: {
    kind: "checkpoint",
    fix: "give another file, or get this one anew: download it again, or train again",
  },
  E_PAIRS: {
    kind: "checkpoint",
    fix: "draw pairs with this run's teacher: `onestep pairs` on its folder or weights",
  },
  E_RUN_EXISTS: {
    kind: "checkpoint",
    fix: "continue it with --resume, replace it with --force, or choose another --out",
  },
  E_DATA: { kind: "usage", fix: "put the files the message names where they are looked for, or mend them" },
  E_FILE: { kind: "usage", fix: "check the path and its permissions" },
  E_MPI: {
    kind: "usage",
    fix: "install Open MPI (4.1 or newer) or MPICH, and start all ranks with the mpirun that belongs to it",
  },
  E_RANKS: {
    kind: "usage",
    fix: "start every rank with the same command, the same files and the same version of onestep",
  },
  E_PORT: { kind: "usage", fix: "give another port, or leave the number out: then any that is free is taken" },
  E_REQUEST: { kind: "usage", fix: "open the address that was printed, in a browser on this machine" },
  E_DISPOSED: { kind: "usage", fix: "ask for what you need before the run, or what it was asked of, is disposed" },
  E_ABORTED: { kind: "usage", fix: "call it again; what it had written before is whole" },
  E_USAGE: { kind: "usage", fix: "`onestep --help` shows every command and flag" },
} as const satisfies Record<string, CatalogueEntry>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof catalogue;

/** Characters of a message at most; what is longer holds names or values out of a file, not words of ours. */
const LONGEST = 3000;
/** Controls of terminals, and marks that turn the direction of writing. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A message as it may be shown: of bounded length, and in one line, whatever the names and values from files are that it quotes.
 * Compilers of kernels tell in several lines, and are believed.
 */
function shown(code: ErrorCode, message: string): string {
  const isOfCompiler = code === "E_KERNEL";
  const bounded = (text: string) =>
    text.length > LONGEST && !isOfCompiler ? `${text.slice(0, LONGEST - 300)} … ${text.slice(-280)}` : text;
  const escaped = bounded(message).replace(CONTROLS, (letter) => {
    const isKept = isOfCompiler && (letter === "\n" || letter === "\t");
    return isKept ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  // What stands for a control is longer than it.
  return bounded(escaped);
}

/** Base of every error the catalogue knows: `code` is stable, `fix` says what to do. */
export class OnestepError extends Error {
  override name = "OnestepError";
  readonly code: ErrorCode;
  readonly fix: string;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { fix?: string }) {
    super(shown(code, message), options);
    this.code = code;
    this.fix = options?.fix ?? catalogue[code].fix;
  }
}

/** Shapes or dtypes of tensors do not fit together. */
export class ShapeError extends OnestepError {
  override name = "ShapeError";
}
/** An option, preset or config value is unknown, of the wrong type or out of range. */
export class OptionError extends OnestepError {
  override name = "OptionError";
}
/** Nothing (or more than one thing) provides what was asked for. */
export class MissingPluginError extends OnestepError {
  override name = "MissingPluginError";
}
/** A device could not be opened, or a kernel could not be compiled or run on it. */
export class KernelError extends OnestepError {
  override name = "KernelError";
}
/** Stored state is missing, damaged, or would be overwritten. */
export class CheckpointError extends OnestepError {
  override name = "CheckpointError";
}

const classes = {
  shape: ShapeError,
  option: OptionError,
  "missing-plugin": MissingPluginError,
  kernel: KernelError,
  checkpoint: CheckpointError,
  usage: OnestepError,
} as const;

/** Makes the error of a code, in the class the catalogue gives it. `fix` overrides the general way out. */
export function failure(code: ErrorCode, message: string, options?: ErrorOptions & { fix?: string }): OnestepError {
  return new classes[catalogue[code].kind](code, message, options);
}

/** Whether an error is the loss of a device, of which the run itself hears. */
export const isDeviceLost = (error: unknown): error is OnestepError =>
  error instanceof OnestepError && error.code === "E_DEVICE_LOST";

/** Guards what only a bug of onestep can break. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`onestep bug: ${message}`);
}

/** The name in `known` nearest to `name` (Damerau-Levenshtein distance at most a third of its length), or undefined. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(name.length / 3)) + 0.5;
  for (const candidate of known) {
    // A text of any length may be given for a name: what can't be near is not compared.
    if (Math.abs(name.length - candidate.length) > bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** `, did you mean "x"?` when a known name is near, else the empty string. */
export function suggestion(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near === undefined ? "" : `, did you mean "${near}"?`;
}

function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j++) rows[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const swap = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + swap);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}

/** The first few of a list, for a message. */
export const some = (names: readonly string[], most = 5): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");
