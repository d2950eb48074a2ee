// matrixTile: products of tiles on subgroup matrices, with operands in workgroup memory as vectors of four elements.
//   sums[m][n] += sum_{k < DEPTH} rows[m][k] * columns[n][k], or columns[k][n]
// uses        lib/matrices

alias Quad = vec4<Element>;
const QUADS = DEPTH / 4u;
const SIDE_QUADS = SIDE / 4u;
const TILE_QUADS = TILE / 4u;
var<workgroup> rows: array<Quad, TILE * QUADS>;
var<workgroup> columns: array<Quad, TILE * QUADS>;
// One row of matrices of each quadrant, on its way to memory: only single elements can be held to the edges.
const STRIPE = MATRIX_M * SIDE_QUADS;
var<workgroup> stripes: array<vec4f, 4u * STRIPE>;

// Adds the product to a quadrant's sums. Columns are [n][k] where `turned`, else [k][n].
fn multiply(sums: ptr<function, Sums>, quadrant: u32, turned: bool) {
  let top = (quadrant / 2u) * SIDE;
  let side = (quadrant % 2u) * SIDE;
  for (var d = 0u; d < DEPTH; d += MATRIX_K) {
    var right: array<Right, COLUMNS>;
    for (var j = 0u; j < COLUMNS; j++) {
      let n = side + j * MATRIX_N;
      if (turned) {
        right[j] = subgroupMatrixLoad<Right, col_major>(&columns, n * QUADS + d / 4u, QUADS);
      } else {
        right[j] = subgroupMatrixLoad<Right, row_major>(&columns, d * TILE_QUADS + n / 4u, TILE_QUADS);
      }
    }
    for (var i = 0u; i < ROWS; i++) {
      let left = subgroupMatrixLoad<Left, row_major>(&rows, (top + i * MATRIX_M) * QUADS + d / 4u, QUADS);
      for (var j = 0u; j < COLUMNS; j++) {
        let at = i * COLUMNS + j;
        (*sums)[at] = subgroupMatrixMultiplyAccumulate(left, right[j], (*sums)[at]);
      }
    }
  }
}

// Row i of a quadrant's matrices goes to `stripes`.
fn put_stripe(sums: ptr<function, Sums>, quadrant: u32, i: u32) {
  for (var j = 0u; j < COLUMNS; j++) {
    let at = quadrant * STRIPE + j * MATRIX_N / 4u;
    subgroupMatrixStore<row_major>(&stripes, at, (*sums)[i * COLUMNS + j], SIDE_QUADS);
  }
}

// Row and group of four columns, in the tile, of element e of `stripes` that hold row i of matrices.
fn stripe_row(e: u32, i: u32) -> u32 { return e / STRIPE / 2u * SIDE + i * MATRIX_M + e % STRIPE / SIDE_QUADS; }
fn stripe_quad(e: u32) -> u32 { return e / STRIPE % 2u * SIDE_QUADS + e % SIDE_QUADS; }
