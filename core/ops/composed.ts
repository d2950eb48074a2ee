import type { OpSpec, Tensor } from "../tensor/tensor.ts";
import { argumentCheck, type ParameterKinds } from "./call.ts";
import type { Op } from "./op.ts";

/** An op that is made of others: its calls are checked like theirs. */
export interface Composed<Args extends readonly unknown[], R = Tensor> {
  (...args: Args): R;
  /** How it is called, as errors print it. */
  readonly usage: string;
}

interface ComposedDefinition<Args extends readonly unknown[], R> {
  readonly name: string;
  /** What it is called with: `["x: Tensor", { "axes?": "number[]" }]`. Attributes are the last. */
  readonly parameters: NoInfer<ParameterKinds<Args>>;
  readonly build: (...args: Args) => R;
}

/**
 * Defines an op that is made of others, with a check of its arguments; with `spec` it stands for the one op that does its work.
 * @throws E_ARGUMENT from the op when it is called with something else
 */
export function defineComposed<Args extends readonly unknown[], A extends object>(
  definition: ComposedDefinition<Args, Tensor> & { readonly spec: OpSpec<A> },
): Op<Args, A>;
export function defineComposed<Args extends readonly unknown[], R = Tensor>(
  definition: ComposedDefinition<Args, R>,
): Composed<Args, R>;
export function defineComposed({
  name,
  parameters,
  build,
  spec,
}: ComposedDefinition<readonly never[], unknown> & { readonly spec?: OpSpec }): unknown {
  const { usage, check } = argumentCheck(name, parameters);
  const op = (...args: never[]) => {
    check(args);
    return build(...args);
  };
  return Object.assign(op, spec ? { usage, spec } : { usage });
}
