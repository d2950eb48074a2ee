import { program as makeProgram, type Program } from "../../../core/graph/mod.ts";
import { input, mul } from "../../../core/ops/mod.ts";
import { withStorage } from "../../../core/tensor/storage.ts";
import { createNode, type Tensor } from "../../../core/tensor/tensor.ts";
import * as generated from "../../../wgsl/generated.ts";
import type { DeviceTraits } from "../adapter/traits.ts";
import type { Lowering } from "../kernel.ts";
import type { Measured } from "./choices.ts";

/**
 * What the speed of a node depends on: `matmul {"transA":false,"transB":true} f32[8,64] f32[32,64] -> [8,32]`, with what is
 * kept in f16 as such.
 */
export function signatureOf({ op, attrs, inputs, shape }: Tensor): string {
  const sorted = Object.fromEntries(Object.entries(attrs).sort(([a], [b]) => (a < b ? -1 : 1)));
  const operands = inputs.map(({ dtype, storage, shape }) => `${dtype === "f32" ? storage : dtype}[${shape}]`);
  return [op.name, JSON.stringify(sorted), ...operands, `-> [${shape}]`].join(" ");
}

/**
 * A program of this node alone: its operands are inputs. Those that are kept in f16 are computed from inputs, which are not;
 * all variants take the time for that.
 */
export function isolated({ op, attrs, inputs, shape, dtype, storage }: Tensor): Program {
  const operands = inputs.map((each, i) => {
    const x = input(`x${i}`, each.shape, each.dtype);
    return each.storage === "f16" ? withStorage("f16", () => mul(x, 0.5)) : x;
  });
  const y = createNode({ op, attrs, inputs: operands, shape, dtype, storage });
  return makeProgram({ name: `tune ${op.name}`, outputs: { y } });
}

/** What measurements on a device hold for. `kernels` are those that a caller brings. */
export async function measuredOn(
  { vendor, name, driver, architecture, via }: DeviceTraits,
  lowerings: readonly Lowering[],
  kernels: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const texts = Object.entries({ ...generated, ...kernels }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = lowerings.map(({ op, variants }) => [op, ...variants.map((each) => each.name)]);
  const bytes = new TextEncoder().encode(JSON.stringify([texts, names]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return {
    adapter: `${vendor} ${name}`,
    driver: [driver, architecture, via].filter(Boolean).join(", "),
    kernels: [...hash.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
}
