import { parseJson } from "../../../core/json/parseJson.ts";

/** The result of measuring the variants of an op for given shapes. */
export interface Choice {
  /** Name of the variant. */
  readonly variant: string;
  /** Milliseconds of one run by variant, of those that were measured. */
  readonly ms: Readonly<Record<string, number>>;
}

/** Where choices are valid: on no other adapter, driver or version of the kernels. */
export interface Measured {
  readonly adapter: string;
  /** The driver with its version, and the implementation of WebGPU. */
  readonly driver: string;
  /** Hash of all kernels. */
  readonly kernels: string;
}

/** Choices by signature; see `signatureOf`. */
export type Choices = Map<string, Choice>;

/** Version of the file's form. */
const FORMAT = 1;
/** A file with more than this was not written by us. */
const MOST_CHOICES = 20_000;
const LONGEST_SIGNATURE = 2_000;
const LONGEST_NAME = 64;
const MOST_VARIANTS = 32;

/** The choices as a text file. */
export const encodeChoices = (of: Measured, choices: Choices): string =>
  `${JSON.stringify({ format: FORMAT, ...of, choices: Object.fromEntries([...choices].sort()) }, undefined, 1)}\n`;

/**
 * Reads what `encodeChoices` wrote.
 * @throws Error that says why the text is of no use: it is damaged, or of something else than `of`
 */
export function decodeChoices(text: string, of: Measured): Choices {
  const file = recordOf(parse(text));
  if (file?.format !== FORMAT) throw new Error("it is damaged or of another version");
  for (const key of ["adapter", "driver", "kernels"] as const)
    if (file[key] !== of[key]) throw new Error(`it is of other ${key} "${short(file[key])}", expected "${of[key]}"`);
  const entries = Object.entries(recordOf(file.choices) ?? {});
  if (!recordOf(file.choices) || entries.length > MOST_CHOICES)
    throw new Error("it is damaged: its choices are no list of signatures");
  const choices: Choices = new Map();
  for (const [signature, value] of entries) {
    const choice = choiceOf(value);
    if (!choice || signature.length > LONGEST_SIGNATURE)
      throw new Error(`it is damaged: of "${short(signature)}" it says ${short(value)}`);
    choices.set(signature, choice);
  }
  return choices;
}

function choiceOf(value: unknown): Choice | undefined {
  const { variant, ms } = recordOf(value) ?? {};
  const times = Object.entries(recordOf(ms) ?? {});
  const isName = (name: unknown) => typeof name === "string" && name !== "" && name.length <= LONGEST_NAME;
  const isValid =
    isName(variant) &&
    recordOf(ms) !== undefined &&
    times.length <= MOST_VARIANTS &&
    times.every(([name, time]) => isName(name) && Number.isFinite(time) && (time as number) >= 0);
  return isValid ? { variant: variant as string, ms: ms as Record<string, number> } : undefined;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const recordOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

const short = (value: unknown): string => {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
};
