/** What the tests of plugins share: the means of the conformance command, on the oracle, and made-up numbers. */
import { type Precision, ReferenceBackend } from "../../backends/reference/mod.ts";
import { type Shape, sizeOf } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { evaluateOn, type Feed } from "../../core/testing/mod.ts";

export { compose, Feed, GivenNoise, Weights } from "../../core/testing/mod.ts";
export { labelsOf } from "../conformance/feed.ts";

/** The outputs, computed on the reference backend. */
export const evaluate = <T extends Record<string, Tensor>>(
  outputs: T,
  feed: Feed,
  precision: Precision = "f32",
): Promise<Record<keyof T, Float32Array>> => evaluateOn(new ReferenceBackend(precision), outputs, feed);

/** Numbers in [-1, 1] that are the same in every run. */
export const numbers = (shape: Shape, phase = 0): Float32Array =>
  Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + phase + 1.7 * i * (i % 5) + i));
