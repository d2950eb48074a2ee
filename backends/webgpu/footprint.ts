import type { Footprint } from "../../core/interfaces/backend.ts";
import { byteSize, type DispatchList } from "./dispatch.ts";

/** Bytes of the buffers that an executable makes for a list. */
export function footprintOf({ buffers, dims, dispatches }: DispatchList): Footprint {
  let [planned, added] = [0, dims.byteLength];
  for (const { kind, elements } of buffers)
    if (kind === "temp") added += byteSize(elements);
    else if (kind !== "state") planned += byteSize(elements);
  return { planned, added, dispatches: dispatches.length };
}
