import type { ModelPart } from "../interfaces/modelParts.ts";
import { type FrozenSource, frozenSource } from "./frozen.ts";
import type { Scope } from "./scope.ts";

/**
 * The weights of a part that a network asks for, to be read when they are put into a memory; other tensors of the part are passed
 * over.
 * @throws E_CHECKPOINT listing every missing and mis-shaped name
 */
export const frozenPart = (
  name: string,
  { tensors, from }: Pick<ModelPart, "tensors" | "from">,
  network: (scope: Scope) => void,
): FrozenSource => frozenSource(name, network, tensors, from);
