import { failure, suggestion } from "../errors.ts";
import { formatShape } from "../tensor/shape.ts";
import { isTensor, type Tensor } from "../tensor/tensor.ts";

/** The text of a TypeScript type: what an argument may be, checked at run time and printed in errors. */
type KindOf<T> = [T] extends [Tensor]
  ? "Tensor"
  : [T] extends [number]
    ? "number"
    : [T] extends [boolean]
      ? "boolean"
      : [T] extends [string]
        ? string
        : [T] extends [readonly Tensor[]]
          ? "Tensor[]"
          : [T] extends [readonly number[]]
            ? "number[]"
            : [T] extends [number | readonly number[]]
              ? "number | [number, number]"
              : [T] extends [number | Tensor]
                ? "Tensor | number"
                : "ArrayLike<number>";

/** Attributes by name, each with its kind: `{ "axes?": "number[]" }`. A `?` ends the names of those that may be left out. */
export type AttributeKinds<A> = {
  readonly [K in keyof A & string as undefined extends A[K] ? `${K}?` : K]-?: KindOf<Exclude<A[K], undefined>>;
};

/** One parameter of a call: `"x: Tensor"`, or `"bias?: Tensor"` where it may be left out, or attributes. */
type Parameter<T> = [KindOf<Exclude<T, undefined>>] extends ["ArrayLike<number>"]
  ? Exclude<T, undefined> extends ArrayLike<number>
    ? `${string}: ArrayLike<number>`
    : AttributeKinds<Exclude<T, undefined>>
  : `${string}: ${KindOf<Exclude<T, undefined>>}`;

/** The parameters of a call in order. */
export type ParameterKinds<Args extends readonly unknown[]> = { readonly [I in keyof Args]-?: Parameter<Args[I]> };

/** A parameter or an attribute, as the check wants it. */
interface Slot {
  readonly name: string;
  readonly text: string;
  readonly optional: boolean;
  readonly fits: (value: unknown) => boolean;
}

/** The attributes of a call. */
interface Attributes {
  readonly slots: readonly Slot[];
  readonly names: ReadonlySet<string>;
}

function isNumbers(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (const element of value) if (typeof element !== "number") return false;
  return true;
}

/** What the words of a kind stand for; a word in quotes stands for itself. */
const fits: Readonly<Record<string, (value: unknown) => boolean>> = {
  Tensor: isTensor,
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  string: (value) => typeof value === "string",
  "Tensor[]": (value) => Array.isArray(value) && value.every(isTensor),
  "number[]": isNumbers,
  "[number, number]": (value) => isNumbers(value) && (value as number[]).length === 2,
  "ArrayLike<number>": (value) => typeof (value as ArrayLike<number> | undefined)?.length === "number",
};

function slotOf(name: string, kind: string): Slot {
  const tests = kind.split(" | ").map((word) => fits[word] ?? ((value: unknown) => JSON.stringify(value) === word));
  return {
    name: name.replace("?", ""),
    text: `${name}: ${kind}`,
    optional: name.endsWith("?"),
    fits: tests.length === 1 ? tests[0] : (value) => tests.some((test) => test(value)),
  };
}

function attributesOf(kinds: Readonly<Record<string, string>>): Attributes {
  const slots = Object.entries(kinds).map(([name, kind]) => slotOf(name, kind));
  return { slots, names: new Set(slots.map(({ name }) => name)) };
}

/** How an op is called, and the check of a call. */
export interface ArgumentCheck {
  /** Such as `sum(x: Tensor, { axes?: number[], keepDims?: boolean })`. */
  readonly usage: string;
  /** Throws E_ARGUMENT with the usage. */
  check(args: readonly unknown[]): void;
}

/**
 * The check of an op's arguments: their number and kinds, and the names and kinds of its attributes. A slip such as
 * `sum(x, { axis: 1 })` would otherwise compute something else.
 */
export function argumentCheck(
  op: string,
  parameters: readonly (string | Readonly<Record<string, string>>)[],
): ArgumentCheck {
  const slots = parameters.map((each) =>
    typeof each === "string" ? slotOf(...(each.split(": ") as [string, string])) : attributesOf(each),
  );
  const words = slots.map((slot) =>
    "slots" in slot ? `{ ${slot.slots.map(({ text }) => text).join(", ")} }` : slot.text,
  );
  const usage = `${op}(${words.join(", ")})`;
  const refuse = (what: string, hint = ""): never => {
    throw failure("E_ARGUMENT", `Cannot apply ${op}: ${what}, expected ${usage}${hint}`);
  };
  const checkValue = ({ name, optional, fits }: Slot, value: unknown) => {
    if (value === undefined ? !optional : !fits(value)) refuse(`${name} is ${shown(value)}`);
  };
  const checkAttributes = ({ slots, names }: Attributes, given: unknown) => {
    if (given === undefined) {
      for (const slot of slots) checkValue(slot, undefined);
      return;
    }
    if (typeof given !== "object" || given === null || Array.isArray(given) || isTensor(given))
      refuse(`its attributes are ${shown(given)}`);
    for (const name in given as object)
      if (!names.has(name)) refuse(`unknown attribute "${name}"`, suggestion(name, names));
    for (const slot of slots) checkValue(slot, (given as Readonly<Record<string, unknown>>)[slot.name]);
  };
  // `parts.reduce(add)` and `parts.map(exp)` pass a place and the list too.
  const checkRest = (rest: readonly unknown[], taken: number) => {
    const byList = rest.length === 2 && typeof rest[0] === "number" && Array.isArray(rest[1]);
    const given = rest.findLastIndex((value) => value !== undefined) + 1;
    if (!byList && given > 0) refuse(`it has ${taken + given} arguments`);
  };
  const check = (args: readonly unknown[]) => {
    if (args.length > slots.length) checkRest(args.slice(slots.length), slots.length);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i];
      if ("slots" in slot) checkAttributes(slot, args[i]);
      else checkValue(slot, args[i]);
    }
  };
  return { usage, check };
}

/** Items of a list that an error shows, and characters of them all. */
const LISTED = 20;
const cut = (items: readonly string[]): string => {
  const text = items.join(", ");
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** A value in an error: tensors by their shape, objects by their names. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (isTensor(value)) return `a tensor ${formatShape(value.shape)}`;
  if (Array.isArray(value)) return `[${cut(value.slice(0, LISTED).map(shown))}]`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (typeof value === "object" && value !== null) return `an object of ${cut(Object.keys(value)) || "nothing"}`;
  return String(value);
}

/** The kinds of attributes, read off their defaults where `kinds` does not say more: any may be left out. */
export function kindsOfDefaults(
  defaults: object,
  kinds: Readonly<Record<string, string | undefined>> = {},
): Readonly<Record<string, string>> {
  const entries = Object.entries(defaults).map(([name, value]) => [
    `${name}?`,
    kinds[name] ?? (Array.isArray(value) ? "number[]" : typeof value),
  ]);
  return Object.fromEntries(entries);
}
