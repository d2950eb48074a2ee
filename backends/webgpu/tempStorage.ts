import type { Storage } from "../../core/tensor/storage.ts";
import type { Bound, Pass } from "./kernel.ts";

/**
 * How a node's temporaries are kept: those that are filled with copies as what is copied, all others, which hold sums, in
 * f32. Whatever pass binds a temporary first is the one that fills it.
 * @param storageOf of the node's inputs and output
 */
export function tempStorages(
  passes: readonly Pass[],
  storageOf: (bound: Exclude<Bound, `temp ${number}`>) => Storage,
): ReadonlyMap<Bound, Storage> {
  const found = new Map<Bound, Storage>();
  const isTemp = (bound: Bound): bound is `temp ${number}` => typeof bound === "string" && bound.startsWith("temp ");
  for (const pass of passes) {
    const copied = copiesOf(pass);
    for (const bound of pass.bind ?? []) {
      if (!isTemp(bound) || found.has(bound)) continue;
      const from = copied.get(bound);
      if (from === undefined) found.set(bound, "f32");
      else found.set(bound, isTemp(from) ? found.get(from)! : storageOf(from));
    }
  }
  return found;
}

/** What a pass copies without adding anything: by target, the source. */
function copiesOf({ kernel, dims, bind = [] }: Pass): ReadonlyMap<Bound, Bound> {
  if (kernel === "repack" && dims.TERMS === 1) return new Map([[bind[1], bind[0]]]);
  if (kernel !== "repackPair") return new Map();
  return new Map([
    [bind[2], bind[0]],
    [bind[3], bind[1]],
  ]);
}
