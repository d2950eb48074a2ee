import { countVariant, type Footprint } from "../../core/interfaces/backend.ts";
import { type BufferNeed, bufferBytes, type DispatchList } from "./dispatch.ts";

/** Whether nothing is left in a buffer that a later run needs, so that other programs may use it in between. */
export const isShared = ({ kind }: BufferNeed): boolean => kind === "scratch" || kind === "temp";

/** Bytes of the buffers that an executable makes for a list. */
export function footprintOf({ buffers, dims, dispatches }: DispatchList): Footprint {
  let [planned, added] = [0, dims.byteLength];
  for (const need of buffers)
    if (need.kind === "temp") added += bufferBytes(need);
    else if (need.kind !== "state") planned += bufferBytes(need);
  const shared = buffers.filter(isShared).map(bufferBytes);
  const variants = {};
  const steps = new Map(dispatches.map(({ step, op, variant }) => [`${step} ${op}`, { op, variant }]));
  for (const { op, variant } of steps.values()) countVariant(variants, op, variant);
  return { planned, added, shared, dispatches: dispatches.length, variants };
}
