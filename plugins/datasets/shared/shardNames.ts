import { failure } from "../../../core/errors.ts";

/** More shards than any set has. */
const MOST = 100_000;

/**
 * The names that a pattern with braces means, as shells and WebDataset read it: `{000..012}` is every number from 000 to 012 with
 * as many digits, `{a,b}` is a and b.
 * @throws E_DATA for braces that mean nothing, or too many names
 */
export function expandBraces(pattern: string, name: string): string[] {
  const refuse = (why: string) =>
    failure("E_DATA", `Cannot load ${name} from ${pattern}: ${why}`, {
      fix: "write numbers as {000000..000009}, or names as {train,val}",
    });
  let names = [""];
  let rest = pattern;
  for (;;) {
    const [whole, before, inside] = rest.match(/^([^{}]*)\{([^{}]*)\}/) ?? [];
    if (whole === undefined) break;
    rest = rest.slice(whole.length);
    const choices = choicesOf(inside);
    if (!choices) throw refuse(`{${inside}} is no list and no range of numbers`);
    if (names.length * choices.length > MOST) throw refuse(`it means more than ${MOST} files`);
    names = names.flatMap((each) => choices.map((choice) => each + before + choice));
  }
  if (/[{}]/.test(rest)) throw refuse("its braces are not closed");
  return names.map((each) => each + rest);
}

function choicesOf(inside: string): string[] | undefined {
  const [, first, last] = inside.match(/^(\d{1,12})\.\.(\d{1,12})$/) ?? [];
  if (first === undefined) return inside.includes(",") ? inside.split(",") : undefined;
  const count = Number(last) - Number(first) + 1;
  if (count < 1 || count > MOST) return undefined;
  const digits = first.startsWith("0") ? first.length : 0;
  return Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(digits, "0"));
}
