import * as generated from "../../wgsl/generated.ts";

/**
 * The builtins on subgroup matrices as plain functions. A factor is where it lies in workgroup memory, which nobody changes
 * while it is in use; sums are kept whole, row by row, by every invocation of a subgroup.
 */
const emulation = /* wgsl */ `
var<workgroup> none: u32; // 0
struct Factor { at: u32, pitch: u32, turned: bool }
fn multiply_accumulate(sums: ptr<function, Sums>, index: u32, left: Factor, right: Factor) {
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) {
    for (var k = 0u; k < MATRIX_K; k++) {
      sums[index][i] += left_at(left, i / MATRIX_N, k) * right_at(right, k, i % MATRIX_N);
    }
  }
}`;

/** Where operands and results lie one by one, and as vectors of four, in which offsets and pitches count. */
const single = /* wgsl */ `
fn left_at(f: Factor, m: u32, k: u32) -> f32 { return f32(rows[f.at + m * f.pitch + k]); }
fn right_at(f: Factor, k: u32, n: u32) -> f32 { return f32(columns[f.at + k * f.pitch + n]); }
fn store_stripes(at: u32, sums: ptr<function, Sums>, index: u32, pitch: u32) {
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i++) {
    stripes[at + i / MATRIX_N * pitch + i % MATRIX_N] = sums[index][i];
  }
}`;
const storeVectors = (target: string) => /* wgsl */ `
fn store_${target}(at: u32, sums: ptr<function, Sums>, index: u32, pitch: u32) {
  for (var i = 0u; i < MATRIX_M * MATRIX_N; i += 4u) {
    let four = vec4f(sums[index][i], sums[index][i + 1u], sums[index][i + 2u], sums[index][i + 3u]);
    ${target}[at + i / MATRIX_N * pitch + i % MATRIX_N / 4u] = four;
  }
}`;
const vectors = /* wgsl */ `
fn left_at(f: Factor, m: u32, k: u32) -> f32 { return f32(rows[f.at + m * f.pitch + k / 4u][k % 4u]); }
fn right_at(f: Factor, k: u32, n: u32) -> f32 {
  let outer = select(k, n, f.turned);
  let inner = select(n, k, f.turned);
  return f32(columns[f.at + outer * f.pitch + inner / 4u][inner % 4u]);
}`;

const pointer = (sums: string) => (sums === "sums" ? "&sums" : "sums");

/** With loops that a compiler can't unroll, which would take it half a minute; for functions without barriers. */
const rolled = (text: string): string =>
  text.replace(/for \(var (\w) = 0u; \1 < ([A-Z])/g, "for (var $1 = none; $1 < $2");

/** What becomes of all that names the feature. */
function withoutBuiltins(text: string): string {
  return text
    .replace("enable subgroups;", "")
    .replace("enable chromium_experimental_subgroup_matrix;", "")
    .replace("subgroup_matrix_left<Element, MATRIX_K, MATRIX_M>", "Factor")
    .replace("subgroup_matrix_right<Element, MATRIX_N, MATRIX_K>", "Factor")
    .replace("subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>", "array<f32, MATRIX_N * MATRIX_M>")
    .replace(/subgroupMatrixLoad<(?:Left|Right), (row|col)_major>\(&(?:rows|columns), (.+), (\w+)\);/g, (...found) => {
      const [, order, at, pitch] = found;
      return `Factor(${at}, ${pitch}, ${order === "col"});`;
    })
    .replace(
      /(\(\*sums\)|sums)\[at\] = subgroupMatrixMultiplyAccumulate\(left, right\[j\], \1\[at\]\)/,
      (_, sums) => `multiply_accumulate(${pointer(sums)}, at, left, right[j])`,
    )
    .replace(
      /subgroupMatrixStore<row_major>\(&(\w+), at, (\(\*sums\)|sums)\[(.+)\], (\w+)\)/,
      (_, target, sums, index, pitch) => `store_${target}(at, ${pointer(sums)}, ${index}, ${pitch})`,
    );
}

/**
 * The kernels on subgroup matrices for any device: the same texts, with the builtins as functions. So what is tested is all
 * but the builtins themselves: which element goes where, at every edge.
 * @param subgroups of a workgroup; 4 compute, more are idle
 */
export function emulatedMatrices(subgroups = 4): Record<string, string> {
  const texts: Record<string, string> = generated;
  const kernel = (name: string) => {
    const start = ") {\n  let index";
    const parameter = "  @builtin(subgroup_id) quadrant: u32,\n";
    if (!texts[name].includes(start) || !texts[name].includes(parameter)) throw new Error(`${name} begins otherwise`);
    return withoutBuiltins(texts[name])
      .replace(parameter, "")
      .replace(start, `) {\n  let quadrant = lane / (LANES / ${subgroups}u);\n  let index`);
  };
  const emulated: Record<string, string> = {
    lib_matrices: withoutBuiltins(texts.lib_matrices) + rolled(emulation),
    lib_matrixTile: rolled(withoutBuiltins(texts.lib_matrixTile) + vectors + storeVectors("stripes")),
    matmulMatrix: kernel("matmulMatrix") + single,
    conv2dMatrix: kernel("conv2dMatrix"),
    conv2dWeightGradMatrix: kernel("conv2dWeightGradMatrix"),
    attentionMatrix: rolled(kernel("attentionMatrix") + storeVectors("scores")),
  };
  for (const [name, text] of Object.entries(emulated)) {
    if (/subgroup_?[mM]atrix\w*[<(]/.test(text)) throw new Error(`${name} has builtins left`);
  }
  return emulated;
}
