import { attempt, pluginFault, whatIs } from "../../plugin/made.ts";
import { overlaid } from "../../plugin/overlaid.ts";
import { isTensor, type Tensor } from "../../tensor/tensor.ts";
import { placed } from "./places.ts";

/**
 * What a function of a plugin gives where a tensor is expected.
 * @param plugin such as `network "mlp"`
 * @throws E_PLUGIN when it throws or gives something else
 */
export function tracedBy(plugin: string, member: string, run: () => Tensor): Tensor {
  const value = placed(plugin, () => attempt(plugin, member, run));
  if (!isTensor(value)) throw pluginFault(plugin, `its ${member} returns ${whatIs(value)}`, "should be a tensor");
  return value;
}

type Trace = (...args: unknown[]) => Tensor;

/** `value` with those of its functions that give tensors held to it. @throws E_PLUGIN when it is no object */
export function tracing<T>(plugin: string, from: string, value: T, members: readonly string[]): T {
  if (typeof value !== "object" || value === null)
    throw pluginFault(plugin, `its ${from} returns ${whatIs(value)}`, "should be an object");
  const functions = value as Readonly<Record<string, unknown>>;
  const held = members
    .filter((member) => typeof functions[member] === "function")
    .map((member): [string, Trace] => {
      const run = functions[member] as Trace;
      return [member, (...args) => tracedBy(plugin, member, () => run.apply(value, args))];
    });
  return overlaid(value, Object.fromEntries(held) as Partial<T & object>);
}
