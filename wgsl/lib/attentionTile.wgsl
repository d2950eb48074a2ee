// attentionTile: products of tiles of 32 x 32 by 64 invocations, through workgroup memory, for gradients of attention.
//   invocation (y, x) of 8 x 8 holds rows 4y .. 4y+3 and columns 4x .. 4x+3 of a tile
// WIDTH, 32 or 64, is the kernel's own: how many columns of the gradients a workgroup adds up.

const TILE = 32u;
const DEPTH = 16u;
const PITCH = 33u; // a column more a row, so that the transposing writes spread over the banks
const LOWEST = -3.0e38; // finite: the difference of two infinities is no number

// DEPTH x 32 of the left operand and behind it of the right one; or DEPTH rows of WIDTH columns.
var<workgroup> operands: array<f32, 2u * DEPTH * PITCH>;
// A tile on its side: row r of column c at c * PITCH + r.
var<workgroup> weights: array<f32, TILE * PITCH>;
// One number for each row of a tile from each of the eight invocations that share it.
var<workgroup> shares: array<f32, TILE * 8u>;

// Four rows of an invocation.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f }

// Where element (item, depth) of an operand is kept.
fn place_of(item: u32, depth: u32) -> u32 { return depth * PITCH + item; }
const RIGHT = DEPTH * PITCH;

// sum + left right^T of what lies in `operands`.
fn plus_product(sum: Rows, lane: u32) -> Rows {
  var s = sum;
  let row = lane / 8u * 4u;
  let column = RIGHT + lane % 8u * 4u;
  for (var d = 0u; d < DEPTH; d++) {
    let at_r = row + d * PITCH;
    let at_c = column + d * PITCH;
    let r = vec4f(operands[at_r], operands[at_r + 1u], operands[at_r + 2u], operands[at_r + 3u]);
    let c = vec4f(operands[at_c], operands[at_c + 1u], operands[at_c + 2u], operands[at_c + 3u]);
    s.r0 = fma(vec4f(r.x), c, s.r0);
    s.r1 = fma(vec4f(r.y), c, s.r1);
    s.r2 = fma(vec4f(r.z), c, s.r2);
    s.r3 = fma(vec4f(r.w), c, s.r3);
  }
  return s;
}

// sum + weights[.., first .. first + DEPTH - 1] times the DEPTH rows in `operands`, columns 4x + `column` .. + 3.
fn plus_weighted(sum: Rows, lane: u32, first: u32, column: u32) -> Rows {
  var s = sum;
  for (var j = 0u; j < DEPTH; j++) {
    let at_w = (first + j) * PITCH + lane / 8u * 4u;
    let at_x = j * WIDTH + column + lane % 8u * 4u;
    let w = vec4f(weights[at_w], weights[at_w + 1u], weights[at_w + 2u], weights[at_w + 3u]);
    let x = vec4f(operands[at_x], operands[at_x + 1u], operands[at_x + 2u], operands[at_x + 3u]);
    s.r0 = fma(vec4f(w.x), x, s.r0);
    s.r1 = fma(vec4f(w.y), x, s.r1);
    s.r2 = fma(vec4f(w.z), x, s.r2);
    s.r3 = fma(vec4f(w.w), x, s.r3);
  }
  return s;
}

// Puts a tile into `weights`.
fn keep(tile: Rows, lane: u32) {
  for (var j = 0u; j < 4u; j++) {
    let at = (lane % 8u * 4u + j) * PITCH + lane / 8u * 4u;
    weights[at] = tile.r0[j];
    weights[at + 1u] = tile.r1[j];
    weights[at + 2u] = tile.r2[j];
    weights[at + 3u] = tile.r3[j];
  }
}

// Every row times its own factor.
fn times_rows(tile: Rows, factor: vec4f) -> Rows {
  return Rows(tile.r0 * factor.x, tile.r1 * factor.y, tile.r2 * factor.z, tile.r3 * factor.w);
}

// Gives each invocation's numbers for its four rows to the seven beside it; `shared_sums` and `shared_tops` read them.
fn share(own: vec4f, lane: u32) {
  let at = lane / 8u * 32u + lane % 8u;
  shares[at] = own.x;
  shares[at + 8u] = own.y;
  shares[at + 16u] = own.z;
  shares[at + 24u] = own.w;
}

fn share_of(lane: u32, i: u32) -> vec4f {
  let at = lane / 8u * 32u + i;
  return vec4f(shares[at], shares[at + 8u], shares[at + 16u], shares[at + 24u]);
}

fn shared_sums(lane: u32) -> vec4f {
  var sum = vec4f();
  for (var i = 0u; i < 8u; i++) { sum += share_of(lane, i); }
  return sum;
}

fn shared_tops(lane: u32) -> vec4f {
  var top = vec4f(LOWEST);
  for (var i = 0u; i < 8u; i++) { top = max(top, share_of(lane, i)); }
  return top;
}
