/** What cases share with the tests of plugins, and how files of cases write classes. */
import type { Numbers } from "../../core/testing/feed.ts";

export { compose } from "../../core/testing/compose.ts";
export { evaluateOn } from "../../core/testing/evaluateOn.ts";
export { Feed, type Numbers, Weights } from "../../core/testing/feed.ts";
export { GivenNoise } from "../../core/testing/givenNoise.ts";

/** Class indices of one-hot rows. */
export const labelsOf = (rows: Numbers, classes: number): number[] =>
  Array.from({ length: rows.length / classes }, (_, b) =>
    Array.from({ length: classes }, (_, k) => rows[b * classes + k]).indexOf(1),
  );
