import { program } from "../graph/mod.ts";
import type { Backend, HostArray } from "../interfaces/mod.ts";
import { type Frozen, loadFrozen } from "../nn/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * The outputs, computed on a backend from the values of their inputs; `frozen` are the weights of frozen networks among them.
 * Frees what it takes there.
 */
export async function evaluateOn<T extends Record<string, Tensor>>(
  backend: Backend,
  outputs: T,
  { values }: { readonly values: Readonly<Record<string, HostArray>> },
  frozen: readonly Frozen[] = [],
): Promise<Record<keyof T, Float32Array>> {
  const memory = backend.createMemory();
  for (const weights of frozen) await loadFrozen(memory, weights);
  const run = await backend.compile(program({ name: "evaluation", outputs }), memory);
  await run.run(values);
  const read: Record<string, unknown> = {};
  for (const name of Object.keys(outputs)) read[name] = await run.read(name);
  run.dispose();
  memory.dispose();
  return read as Record<keyof T, Float32Array>;
}
