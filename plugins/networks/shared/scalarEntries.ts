import { failure, OnestepError } from "../../../core/errors.ts";
import type { Condition } from "../../../core/interfaces/mod.ts";
import { linear, type Scope, sinusoid, zeros } from "../../../core/nn/mod.ts";
import { add, silu } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Radians per unit of a guidance scale, from 1/16 to 8 in equal ratios: scales of 0 to 50 stay apart, and so do 2.0 and 2.1. */
const GUIDANCE_FREQUENCIES = Array.from({ length: 8 }, (_, i) => 2 ** (i - 4));

/**
 * emb + W₂ silu(W₁ e(v) + b₁) + b₂ for each of these numbers v [B] that the condition has, emb itself where it has none:
 *   guidance   a guidance scale; e(w) = [cos f·w, sin f·w]
 *   end        the level at which a step ends, as cNoise; e is the network's own embedding of cNoise, `embedLevel`
 * emb [B, width], before its last activation. W₂ and b₂ start at zero: a generator that is told them begins as its teacher, who is
 * not. Parameters `guidance.0`, `guidance.2`, `end.0`, `end.2`, each `weight` and `bias`, are there where the entry is.
 * @throws E_CONFIG where the role was laid out without them
 */
export function addScalarEntries(
  scope: Scope,
  emb: Tensor,
  condition: Condition,
  embedLevel: (cNoise: Tensor) => Tensor,
): Tensor {
  const width = emb.shape[1];
  const entries = [
    { name: "guidance", embed: (w: Tensor) => sinusoid(w, GUIDANCE_FREQUENCIES) },
    { name: "end", embed: embedLevel },
  ];
  return entries.reduce((sum, { name, embed }) => {
    const value = condition[name];
    if (!value) return sum;
    const layer = (i: number, x: Tensor, init?: typeof zeros) => linear(scope.at(name).at(i), x, width, { init });
    try {
      return add(sum, layer(2, silu(layer(0, embed(value))), zeros));
    } catch (error) {
      const isMissing = error instanceof OnestepError && error.message.includes("no such parameter");
      throw isMissing ? untold(name, error) : error;
    }
  }, emb);
}

/** A network that was never told such a number has no parameters for it: a teacher, or another generator. */
const untold = (name: string, cause: OnestepError) =>
  name === "end"
    ? failure("E_CONFIG", "Cannot tell this network where a step ends: it has no parameters for it, should have some", {
        fix: "use the loss and the sampler `mean-flow` with the generator `mean-flow` alone, the teacher has a sampler such as heun",
        cause,
      })
    : failure("E_CONFIG", "Cannot tell this network a guidance scale: it has no parameters for it, should have some", {
        fix: "set generator.guidanceScale, and use a generator that has this option",
        cause,
      });
