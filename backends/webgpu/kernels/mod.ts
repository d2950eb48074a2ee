import type { Lowering } from "../kernel.ts";
import { addRows } from "./addRows.ts";
import { attention } from "./attention.ts";
import { attentionGrad } from "./attentionGrad.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { conv2dInputGrad } from "./conv2dInputGrad.ts";
import { conv2dWeightGrad } from "./conv2dWeightGrad.ts";
import { groupNormalize } from "./groupNormalize.ts";
import { groupNormalizeGrad } from "./groupNormalizeGrad.ts";
import { matmul } from "./matmul.ts";
import { max } from "./max.ts";
import { maxPool2d } from "./maxPool2d.ts";
import { normalize } from "./normalize.ts";
import { normalizeGrad } from "./normalizeGrad.ts";
import { pad } from "./pad.ts";
import { random } from "./random.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { sum } from "./sum.ts";
import { sumPool } from "./sumPool.ts";
import { takeRows } from "./takeRows.ts";
import { transpose } from "./transpose.ts";
import { upsampleNearest } from "./upsampleNearest.ts";

/** How every kernel op runs: one line per op. Views and elementwise ops have no kernels. */
export const lowerings: readonly Lowering[] = [
  addRows,
  attention,
  attentionGrad,
  concat,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  groupNormalize,
  groupNormalizeGrad,
  matmul,
  max,
  maxPool2d,
  normalize,
  normalizeGrad,
  pad,
  random,
  slice,
  softmax,
  sum,
  sumPool,
  takeRows,
  transpose,
  upsampleNearest,
];
