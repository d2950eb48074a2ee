import { nodesMade } from "../../tensor/tensor.ts";

/** A piece of a trace: the nodes with an id in [first, end) were made by `plugin`. */
export interface Place {
  /** Such as `network "mlp"`. */
  readonly plugin: string;
  readonly first: number;
  readonly end: number;
}

let noted: Place[] | undefined;

/** Traces a part of a graph for a plugin; `withPlaces` hears of it. */
export function placed<T>(plugin: string, trace: () => T): T {
  if (!noted) return trace();
  const first = nodesMade();
  const value = trace();
  noted.push({ plugin, first, end: nodesMade() });
  return value;
}

/** Traces, and finds out which plugin has made what; an inner place comes before the one around it. */
export function withPlaces<T>(trace: () => T): { readonly value: T; readonly places: readonly Place[] } {
  const before = noted;
  const places: Place[] = [];
  noted = places;
  try {
    return { value: trace(), places };
  } finally {
    noted = before;
  }
}
