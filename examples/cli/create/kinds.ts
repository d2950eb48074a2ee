/** Kinds of which `onestep create-plugin` writes one. */
export const creatable = ["loss", "sampler", "dataset", "metric", "method"] as const;
/** One of them. */
export type Creatable = (typeof creatable)[number];
