import type { Resolver } from "../di/mod.ts";
import { failure } from "../errors.ts";
import { DATA_SHAPE, type Extractor, extractorNamed } from "../interfaces/mod.ts";
import { text } from "./options.ts";

/** Options of features that a frozen network gives. */
export const extractedOptions = {
  extractor: text({ default: "", about: "the extractor whose features it reads; none reads those of the networks" }),
  tap: text({ default: "", about: "which of the extractor's features; none is its first" }),
};

/** The plugin that those options need. */
export const extractorNeeded = ({ extractor }: { readonly extractor: string }) =>
  extractor === "" ? [] : [{ kind: "extractor" as const, use: extractor, options: {} }];

/** The extractor and the feature that is read. Throws E_OPTION for samples that it can't read, or a feature that it hasn't. */
export function extractorOf(
  owner: string,
  options: { readonly extractor: string; readonly tap: string },
  container: Resolver,
): { readonly extractor: Extractor; readonly tap: string } {
  const extractor = extractorNamed(container, options.extractor);
  const { sample } = container.get(DATA_SHAPE);
  const { channels, smallest, vectors = [] } = extractor.reads;
  const [C, ...sides] = sample;
  const isImage = sample.length === 3 && channels.includes(C) && Math.min(...sides) >= smallest;
  if (!isImage && !(sample.length === 1 && vectors.includes(C))) {
    const reads = [
      ...(channels.length > 0 ? [`[${channels.join(" or ")}, H, W] of ${smallest} pixels or more`] : []),
      ...(vectors.length > 0 ? [`[${vectors.join(" or ")}]`] : []),
    ];
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: samples are [${sample.join(", ")}], the extractor ${options.extractor} reads ${reads.join(", or ")}`,
    );
  }
  const names = Object.keys(extractor.widths);
  const tap = options.tap || names[0];
  if (!names.includes(tap))
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: tap is ${tap}, the extractor ${options.extractor} has ${names.join(", ")}`,
    );
  return { extractor, tap };
}
