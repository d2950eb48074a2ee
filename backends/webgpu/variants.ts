import { failure, invariant, suggestion } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import type { KernelVariant, Lowering } from "./kernel.ts";

/** Variants asked for by name, by op: `{ matmul: "tile4x4" }`. */
export type ForcedVariants = Readonly<Record<string, string>>;

/**
 * Picks the way in which a node runs: the one asked for, else the one that was measured to be best here, else the first;
 * the latter two where they support node and device.
 */
export function chooseVariant(
  node: Tensor,
  lowerings: readonly Lowering[],
  traits: DeviceTraits,
  forced: ForcedVariants = {},
  measured?: string,
): KernelVariant {
  const op = node.op.name;
  const variants = lowerings.find((each) => each.op === op)?.variants ?? [];
  if (Object.hasOwn(forced, op)) {
    const wanted = variants.find(({ name }) => name === forced[op]);
    if (wanted?.supports(node, traits)) return wanted;
    const names = variants.map(({ name }) => name);
    const needs = wanted?.needs ? `, it needs ${wanted.needs}` : "";
    const why = wanted
      ? `it does not support [${node.shape.join(", ")}] on ${traits.name}${needs}`
      : `expected one of ${names.join(", ")}${suggestion(forced[op], names)}`;
    throw failure("E_OPTION", `Cannot run ${op} with variant "${forced[op]}": ${why}`);
  }
  const fitting = variants.filter((variant) => variant.supports(node, traits));
  const chosen = fitting.find(({ name }) => name === measured) ?? fitting[0];
  invariant(chosen, `the webgpu backend has no kernel for ${op}`);
  return chosen;
}

/** @throws OptionError when a forced op or variant does not exist. */
export function checkForced(lowerings: readonly Lowering[], forced: ForcedVariants): void {
  for (const [op, name] of Object.entries(forced)) {
    const ops = lowerings.map((each) => each.op);
    const lowering = lowerings.find((each) => each.op === op);
    if (!lowering)
      throw failure("E_OPTION", `Cannot force a variant of ${op}: it is not an op with kernels${suggestion(op, ops)}`);
    const names = lowering.variants.map((variant) => variant.name);
    if (!names.includes(name))
      throw failure(
        "E_OPTION",
        `Cannot force variant "${name}" of ${op}: expected one of ${names.join(", ")}${suggestion(name, names)}`,
      );
  }
}
