import { failure } from "../../core/errors.ts";
import { type Program, rootOf } from "../../core/graph/mod.ts";
import { formatShape, sizeOf } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import { formatBytes } from "./buffers.ts";
import { bufferBytes, type DispatchList } from "./dispatch.ts";

/**
 * Holds a program to the device's limits before anything is allocated.
 * @throws KernelError E_DEVICE_LIMIT naming tensor, size and limit.
 */
export function checkLimits(program: Program, list: DispatchList, traits: DeviceTraits): void {
  const refuse = (buffer: number, bytes: number, limit: number, what: string): never => {
    throw failure(
      "E_DEVICE_LIMIT",
      `Cannot compile ${program.name}: ${describe(program, list, buffer)} needs ${formatBytes(bytes)} in one ${what}, ${traits.name} allows ${formatBytes(limit)}`,
    );
  };
  list.buffers.forEach((need, buffer) => {
    const bytes = bufferBytes(need);
    if (bytes > traits.maxBuffer) refuse(buffer, bytes, traits.maxBuffer, "buffer");
  });
  for (const { bindings } of list.dispatches) {
    for (const { buffer, size } of bindings)
      if (size > traits.maxBinding) refuse(buffer, size, traits.maxBinding, "binding");
    if (bindings.length > traits.maxStorageBuffers)
      throw failure(
        "E_DEVICE_LIMIT",
        `Cannot compile ${program.name}: a kernel binds ${bindings.length} buffers, ${traits.name} allows ${traits.maxStorageBuffers}`,
      );
  }
}

/** The largest tensor that lives in a buffer, by its op or name, and its shape. */
function describe(program: Program, list: DispatchList, buffer: number): string {
  let largest: Tensor | undefined;
  for (const [tensor, place] of program.plan.places) {
    const { root } = rootOf(tensor);
    if (place.buffer === buffer && (!largest || sizeOf(root.shape) > sizeOf(largest.shape))) largest = root;
  }
  const { kind, name, elements } = list.buffers[buffer];
  if (!largest) return `${kind} "${name}" [${elements}]`;
  const title = kind === "input" || kind === "state" ? `${kind} "${name}"` : largest.op.name;
  return `${title} ${formatShape(largest.shape)}`;
}
