import type { ModelPart } from "../interfaces/modelParts.ts";
import { toFloat32 } from "../io/safetensors.ts";
import { type FrozenWeights, frozenWeights } from "./frozen.ts";
import { layoutOf } from "./parameters.ts";
import type { Scope } from "./scope.ts";

/**
 * The weights of a part that a network asks for, read now; other tensors of the part are passed over unread.
 * @throws E_CHECKPOINT listing every missing and mis-shaped name, or where a number is not finite
 */
export async function frozenPart(
  name: string,
  { tensors, from }: Pick<ModelPart, "tensors" | "from">,
  network: (scope: Scope) => void,
): Promise<FrozenWeights> {
  const read: Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }> = Object.create(null);
  for (const entry of layoutOf(network).entries) {
    const found = Object.hasOwn(tensors, entry.name) ? tensors[entry.name] : undefined;
    if (found) read[entry.name] = { shape: found.shape, data: toFloat32(await found.read()) };
  }
  return frozenWeights(name, network, read, from);
}
