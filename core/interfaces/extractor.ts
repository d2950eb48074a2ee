import type { Resolver } from "../di/resolver.ts";
import { type ListToken, listToken } from "../di/token.ts";
import type { FrozenWeights } from "../nn/frozen.ts";
import type { Scope } from "../nn/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { named } from "./named.ts";

/** A feature network over its parameters, in a trace. */
export interface FeatureNetwork {
  /** Images [B, C, H, W] in [-1, 1], or vectors [B, length] where it reads some → features by name, maps [B, width, h, w] or vectors [B, width]. */
  features(x: Tensor): Readonly<Record<string, Tensor>>;
  /** How much each channel of a feature counts in a perceptual distance, [1, width, 1, 1], where that was learned. */
  channelWeights?(): Readonly<Record<string, Tensor>>;
}

/** A frozen network whose features metrics and losses compare. */
export interface Extractor {
  readonly name: string;
  /** The images that it can read. */
  readonly reads: {
    /** How many channels they may have. */
    readonly channels: readonly number[];
    /** The least height and width in pixels. */
    readonly smallest: number;
    /** Lengths of vectors that losses may give it in place of images; none where absent. */
    readonly vectors?: readonly number[];
    /** Height and width that whoever asks resizes to before, with Pillow's bicubic filter. */
    readonly size?: number;
    /** Where images are not square: stretched (the default), or the shorter side resized and the middle cut out. */
    readonly fit?: "stretch" | "crop";
    /** What the filter makes: floats (the default), clipped to 0 … 255 and not rounded, or bytes. */
    readonly resized?: "floats" | "bytes";
  };
  /** Images that it looks at together, at most; 50 when absent. Large networks need fewer to fit a device. */
  readonly together?: number;
  /** Widths of its features by name. */
  readonly widths: Readonly<Record<string, number>>;
  bind(scope: Scope): FeatureNetwork;
  /** Its weights, read or trained when first asked for. */
  load(): Promise<FrozenWeights>;
}

/** Every extractor of the run. */
export const EXTRACTORS: ListToken<Extractor> = listToken<Extractor>("extractors");

/** The extractor of a name. Throws E_MISSING_PLUGIN when the run has none. */
export const extractorNamed = (container: Resolver, name: string): Extractor =>
  named(container, EXTRACTORS, "extractor", name);
