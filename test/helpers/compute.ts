import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { program } from "../../core/graph/mod.ts";
import type { HostArray } from "../../core/interfaces/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";

/** The outputs' elements, computed on the reference backend from the values of inputs and states by name. */
export async function compute<K extends string>(
  outputs: Readonly<Record<K, Tensor>>,
  inputs: Readonly<Record<string, HostArray>> = {},
  states: Readonly<Record<string, HostArray>> = {},
): Promise<Record<K, HostArray>> {
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  for (const [name, data] of Object.entries(states)) {
    memory.allocate(name, data.length, data instanceof Int32Array ? "i32" : "f32");
    memory.write(name, data);
  }
  const run = await backend.compile(program({ name: "test", outputs }), memory);
  await run.run(inputs);
  const values: Partial<Record<K, HostArray>> = {};
  for (const name of Object.keys(outputs) as K[]) values[name] = await run.read(name);
  return values as Record<K, HostArray>;
}
