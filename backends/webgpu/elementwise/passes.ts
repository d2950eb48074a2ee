import type { BoundRange, BufferNeed } from "../dispatch.ts";
import { grid } from "../grid.ts";
import type { Chain } from "./chain.ts";
import { layOut } from "./layout.ts";
import { elementwiseSource, LANES } from "./source.ts";

/** A dispatch of a generated kernel. */
export interface ElementwisePass {
  readonly code: string;
  readonly dims: Record<string, number>;
  readonly bindings: readonly BoundRange[];
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** Vectors that a lane handles in a large dispatch: a workgroup costs as much to start as some hundred loads. */
const PER_LANE = 4;
/** Vectors from which on a dispatch has workgroups to spare. */
const LARGE = 64 * LANES * PER_LANE;

/** The dispatches of a chain: one, unless its tensors exceed a binding. None when it has no elements. */
export function elementwisePasses(chain: Chain, buffers: readonly BufferNeed[], maxBinding: number): ElementwisePass[] {
  return layOut(chain, buffers, maxBinding).map((layout) => {
    const units = Math.ceil(layout.count / layout.width);
    const perLane = units >= LARGE ? PER_LANE : 1;
    const { code, dims } = elementwiseSource(chain, layout, perLane);
    return {
      code,
      dims,
      bindings: layout.buffers.map(({ range }) => range),
      workgroups: grid(Math.ceil(units / (LANES * perLane))),
    };
  });
}
