import { program } from "../../../core/graph/mod.ts";
import type { Backend } from "../../../core/interfaces/backend.ts";
import { add, matmul, state } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";

/** The best that this backend does on this device: what a kernel can be held to. */
export interface Ceiling {
  readonly gflops: number;
  /** Read and written. */
  readonly gigabytes: number;
}

const SIDE = 1024;
const STREAM = 8 * 2 ** 20;
const TRIES = 4;

/** A matrix product of 1024³ and y = x + 1 over 8 Mi elements. */
export async function measureCeiling(backend: Backend): Promise<Ceiling> {
  const square = () => state("x", [SIDE, SIDE]);
  const product = await best(backend, SIDE * SIDE, matmul(square(), square()));
  const stream = await best(backend, STREAM, add(state("x", [STREAM]), 1));
  return { gflops: (2 * SIDE ** 3) / product / 1e6, gigabytes: (8 * STREAM) / stream / 1e6 };
}

/** Milliseconds of the best run. */
async function best(backend: Backend, elements: number, y: Tensor): Promise<number> {
  const memory = backend.createMemory();
  memory.allocate("x", elements);
  const executable = await backend.compile(program({ name: "ceiling", outputs: { y } }), memory);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < TRIES; i++) {
    const start = performance.now();
    await executable.run();
    await backend.finish();
    least = Math.min(least, performance.now() - start);
  }
  executable.dispose();
  memory.dispose();
  return least;
}
