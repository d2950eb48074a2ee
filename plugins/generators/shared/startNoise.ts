/** Generators that are always given the noise that samples start from, and told which level of the teacher's path to lead to. */
import { decreasingLevels, levelTold } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Condition, Network, NoiseProcess } from "../../../core/interfaces/mod.ts";
import type { Scope } from "../../../core/nn/mod.ts";
import { constant } from "../../../core/ops/mod.ts";
import { list, number } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** The option `sigmas` of a generator that begins at one level: as those of other generators, a list. */
export const startLevel = list(number({ above: 0 }), {
  default: [80],
  about: "noise level at which the path begins, one",
});

/**
 * That level, and those of the path after it.
 * @throws E_OPTION in the name of `owner` unless there is one, and they fall
 */
export function pathLevels(
  owner: string,
  sigmas: readonly number[],
  later: readonly number[],
  process: NoiseProcess,
): readonly [sigmaMax: number, ...later: number[]] {
  if (sigmas.length !== 1)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: sigmas is [${sigmas.join(", ")}], should be one level, at which the path begins`,
    );
  const [sigmaMax, ...rest] = decreasingLevels(owner, [...sigmas, ...later], process);
  return [sigmaMax, ...rest];
}

/**
 * D(start; σ_0) of a network that is told another level than σ_0: where to lead instead of where it is.
 * start [B, …], at σ_0 = `sigmaMax`; end [B] levels → [B, …]
 */
export function leadingTo(
  { apply }: Network,
  process: NoiseProcess,
  sigmaMax: number,
): (scope: Scope, start: Tensor, end: Tensor, condition: Condition) => Tensor {
  return (scope, start, end, condition) => {
    const told = levelTold(process, end);
    const { denoise } = process.denoiser((x, _, entries) => apply(scope, x, told, entries));
    return denoise(start, constant(sigmaMax, "f32", [start.shape[0]]), condition);
  };
}
