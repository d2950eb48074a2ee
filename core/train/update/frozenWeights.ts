import { failure } from "../../errors.ts";
import type { Memory } from "../../interfaces/backend.ts";
import type { Loss } from "../../interfaces/loss.ts";
import { type FrozenWeights, storeFrozen } from "../../nn/frozen.ts";

/**
 * Puts the frozen networks of losses that count into a memory, each once.
 * @throws E_CONFIG where two have one name
 */
export function storeFrozenWeights(memory: Memory, losses: readonly Loss[]): void {
  const frozen = new Map<string, FrozenWeights>();
  const active = losses.filter(({ weight }) => weight !== 0);
  for (const weights of active.flatMap((loss) => loss.frozen?.() ?? [])) {
    const { name } = weights;
    if ((frozen.get(name) ?? weights) !== weights)
      throw failure(
        "E_CONFIG",
        `Cannot train: losses bring two frozen networks called ${name}, each needs its own name`,
      );
    frozen.set(name, weights);
    storeFrozen(memory, weights);
  }
}
