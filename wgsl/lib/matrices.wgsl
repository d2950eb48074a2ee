// matrices: sizes and types of subgroup matrices, and of the tiles that workgroups compute on them.
//   a tile is TILE x TILE, in four quadrants of SIDE x SIDE, each a subgroup's: ROWS x COLUMNS matrices

// What the adapter multiplies in one go, set by subgroupMatrices.ts: types can't depend on overrides.
const MATRIX_M = 8u;
const MATRIX_N = 8u;
const MATRIX_K = 8u;
alias Element = f32;
alias Left = subgroup_matrix_left<Element, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Element, MATRIX_N, MATRIX_K>;
alias Result = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

const TILE = 64u;
const SIDE = 32u;
const DEPTH = 16u;
const ROWS = SIDE / MATRIX_M;
const COLUMNS = SIDE / MATRIX_N;
alias Sums = array<Result, ROWS * COLUMNS>; // of a quadrant

// A multiple of the largest subgroup size, as the device demands.
override LANES: u32 = 128u;
