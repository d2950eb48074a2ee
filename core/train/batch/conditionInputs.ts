/** The texts that describe samples: as inputs of a program, and the arrays that they are fed. */
import type { HostArray } from "../../interfaces/backend.ts";
import type { Condition } from "../../interfaces/condition.ts";
import type { Dataset, Description, TextShape } from "../../interfaces/dataset.ts";
import { broadcastTo, input } from "../../ops/mod.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";

/** Who is described: real samples, or generated ones. */
export type Described = "real" | "prompt";

/** Shapes of one sample's description. */
const partsOf = ({ tokens, width, pooled }: TextShape): Readonly<Record<string, Shape>> => ({
  text: [tokens, width],
  ...(pooled && { pooled: [pooled], timeIds: [6] }),
});

/** The condition of `size` samples, as inputs below `who`; none of data without text. */
export function textInputs(text: TextShape | undefined, who: Described, size: number): Condition {
  if (!text) return {};
  const parts = partsOf(text);
  const described = Object.entries(parts).map(([name, shape]) => [
    name,
    input(`${who}.${name}`, [size, ...shape]),
  ]);
  // One for all samples, as an input and not a constant, so that it is not kept once a program.
  const unconditional = text.unconditional?.map((name) => [
    name,
    broadcastTo(input(`unconditional.${name}`, [1, ...parts[name]]), {
      shape: [size, ...parts[name]],
    }),
  ]);
  return {
    ...Object.fromEntries(described),
    ...(unconditional && { unconditional: Object.fromEntries(unconditional) }),
  };
}

/** Values of these inputs for `size` samples from sample `first` of a description on; zeros after its last. */
export function textArrays(
  text: TextShape | undefined,
  who: Described,
  { described, unconditional = {} }: { described?: Description } & Pick<Dataset, "unconditional">,
  { first, size }: { readonly first: number; readonly size: number },
): Record<string, HostArray> {
  if (!text || !described) return {};
  const rows = Object.entries(partsOf(text)).map(([name, shape]) => {
    const [width, all] = [sizeOf(shape), described[name as keyof Description]!];
    const values = all.subarray(first * width, (first + size) * width);
    if (values.length === size * width) return [`${who}.${name}`, values];
    const padded = new Float32Array(size * width);
    padded.set(values);
    return [`${who}.${name}`, padded];
  });
  const empty = text.unconditional?.map((name) => [`unconditional.${name}`, unconditional[name]!]);
  return Object.fromEntries([...rows, ...(empty ?? [])]);
}
