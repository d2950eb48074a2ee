import { failure } from "../../errors.ts";
import { parseJson } from "../../json/mod.ts";
import type { Command } from "./control.ts";

/** Commands that are their name alone. */
const PLAIN = ["pause", "resume", "stop", "checkpoint", "sample", "evaluate"] as const;

/** A loss's name is no longer. */
const LONGEST = 200;

/**
 * The command that a JSON text of a page or another process says.
 * @throws E_OPTION where it says none
 */
export function parseCommand(json: string): Command {
  const refuse = (why: string) =>
    failure("E_OPTION", `Cannot carry out the command: ${why}`, {
      fix: `send one of ${[...PLAIN, "set-weight"].join(", ")} as {"type": NAME}`,
    });
  let value: unknown;
  try {
    value = parseJson(json);
  } catch {
    throw refuse("it is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse("it is no object, should have a type");
  const { type, loss, weight, ...rest } = value as Readonly<Record<string, unknown>>;
  const [surplus] = Object.keys(rest);
  if (surplus !== undefined) throw refuse(`it has ${JSON.stringify(surplus.slice(0, LONGEST))}, which no command has`);
  const plain = PLAIN.find((name) => name === type);
  if (plain && loss === undefined && weight === undefined) return { type: plain };
  if (type !== "set-weight") throw refuse(`it says ${JSON.stringify(type)?.slice(0, LONGEST)}`);
  if (typeof loss !== "string" || loss === "" || loss.length > LONGEST) throw refuse("loss should be the name of one");
  if (typeof weight !== "number" || !(weight >= 0 && weight < Infinity))
    throw refuse(`weight is ${JSON.stringify(weight)}, should be a number in [0, inf)`);
  return { type, loss, weight };
}
