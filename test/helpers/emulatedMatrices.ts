import { matmulMatrix } from "../../wgsl/generated.ts";

/**
 * The builtins on subgroup matrices as plain functions. A factor is where it lies in workgroup memory, which nobody changes
 * while it is in use; sums are kept whole, row by row, by every invocation of a subgroup.
 */
const emulation = /* wgsl */ `
struct Factor { at: u32, pitch: u32 }
fn multiply_accumulate(sums: ptr<function, Sums>, index: u32, left: Factor, right: Factor) {
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) {
    for (var k = 0u; k < MATRIX_K; k++) {
      let l = rows[left.at + i / MATRIX_N * left.pitch + k];
      let r = columns[right.at + k * right.pitch + i % MATRIX_N];
      sums[index][i] += f32(l) * f32(r);
    }
  }
}
fn store_result(at: u32, sums: ptr<function, Sums>, index: u32, pitch: u32) {
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) {
    stripes[at + i / MATRIX_N * pitch + i % MATRIX_N] = sums[index][i];
  }
}
alias Sums = array<Result, ROWS * COLUMNS>;`;

/** What becomes of all that names the feature. */
const replacements: readonly (readonly [text: string, by: string])[] = [
  ["enable subgroups;", ""],
  ["enable chromium_experimental_subgroup_matrix;", ""],
  ["subgroup_matrix_left<Element, MATRIX_K, MATRIX_M>", "Factor"],
  ["subgroup_matrix_right<Element, MATRIX_N, MATRIX_K>", "Factor"],
  ["subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>", "array<f32, MATRIX_N * MATRIX_M>"],
  ["subgroupMatrixLoad<Left, row_major>(&rows, ", "Factor("],
  ["subgroupMatrixLoad<Right, row_major>(&columns, ", "Factor("],
  [
    "sums[at] = subgroupMatrixMultiplyAccumulate(left, right[j], sums[at])",
    "multiply_accumulate(&sums, at, left, right[j])",
  ],
  ["subgroupMatrixStore<row_major>(&stripes, at, sums[i * COLUMNS + j], ", "store_result(at, &sums, i * COLUMNS + j, "],
  ["  @builtin(subgroup_id) quadrant: u32,\n", ""],
];

/**
 * wgsl/matmulMatrix.wgsl on any device: the same text, with the builtins as functions. So what is
 * tested is all but the builtins themselves: which element goes where, at every edge.
 * @param subgroups of a workgroup; 4 compute, more are idle
 */
export function emulatedMatrices(subgroups = 4): string {
  const start = ") {\n  let index";
  const replaced = [
    ...replacements,
    [start, `) {\n  let quadrant = lane / (LANES / ${subgroups}u);\n  let index`] as const,
  ].reduce((text, [line, by]) => {
    if (text.split(line).length !== 2) throw new Error(`${line} is not once in the kernel`);
    return text.replace(line, by);
  }, matmulMatrix);
  return replaced + emulation;
}
