import { invariant } from "../../core/errors.ts";

/** What kernels on subgroup matrices compute. */
export type MatrixUse = "products" | "convolutions" | "attention";

/** Matrices that a subgroup of a device multiplies in one go: [M, K] · [K, N], added to an [M, N] of f32. */
export interface MatrixShape {
  /** Element type of both factors. */
  readonly factors: "f32" | "f16";
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /**
   * How the device's WGSL is told the order of elements in memory: by a template parameter, `<Left, row_major>(…)`, or, as
   * browsers of 2025 and before have it, by an argument, `<Left>(…, false, …)`.
   */
  readonly layout: "template" | "argument";
}

/** Name for people, such as "8x8x8 f32" or "16x16x16 f16→f32": M x N x K. */
export const describeMatrices = ({ factors, M, N, K }: MatrixShape): string =>
  `${M}x${N}x${K} ${factors === "f32" ? "f32" : "f16→f32"}`;

/** Matrices of a device, and what kernels on them were seen to compute right there. */
export interface TriedMatrices extends MatrixShape {
  readonly uses: readonly MatrixUse[];
}

/**
 * The same kernel, its libraries behind it, for these matrices: with their sizes and their type in its constants MATRIX_M, MATRIX_N and MATRIX_K and
 * its alias Element, on which types depend and which therefore can't be overrides, and in the form of WGSL that the device
 * takes. Lines keep their numbers.
 */
export function withMatrices(source: string, { factors, M, N, K, layout }: MatrixShape): string {
  let text = source;
  const declare = (pattern: RegExp, declaration: string) => {
    invariant(pattern.test(text), `a kernel of subgroup matrices declares ${declaration}`);
    text = text.replace(pattern, declaration);
  };
  for (const [name, value] of Object.entries({ M, N, K }))
    declare(new RegExp(`^const MATRIX_${name} = \\d+u;`, "m"), `const MATRIX_${name} = ${value}u;`);
  declare(/^alias Element = \w+;/m, `alias Element = ${factors};`);
  if (layout === "argument")
    text = text
      .replace(
        /(subgroupMatrixLoad<\w+), (row|col)_major>(\(.*), (\w+)\);/g,
        (_, load, order, from, pitch) => `${load}>${from}, ${order === "col"}, ${pitch});`,
      )
      .replace(/(subgroupMatrixStore)<row_major>(\(.*), (\w+)\);/g, "$1$2, false, $3);");
  return factors === "f16" ? `enable f16; ${text}` : text;
}
