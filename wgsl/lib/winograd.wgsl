// winograd: the transforms of F(4, 3) and F(3, 4) with the points 0, +-3/4, +-3/2 and infinity, four signals at a time.
//   input    B' d: six numbers of a signal
//   spread   A e:  four numbers of a gradient
//   results  A' p: four results
//   weights  G w:  three weights
//   taps     G' q: the gradient for three weights
// Two-dimensional ones are these along y and then along x, or the other way round. All constants of B' and A are exact.

alias Three = array<vec4f, 3>;
alias Four = array<vec4f, 4>;
alias Six = array<vec4f, 6>;

fn winograd_input(d: Six) -> Six {
  let a = fma(vec4f(-2.25), d[2], d[4]);
  let b = fma(vec4f(-2.25), d[1], d[3]);
  let c = fma(vec4f(-0.5625), d[2], d[4]);
  let e = fma(vec4f(-0.5625), d[1], d[3]);
  return Six(
    fma(vec4f(1.265625), d[0], fma(vec4f(-2.8125), d[2], d[4])),
    fma(vec4f(0.75), b, a),
    fma(vec4f(-0.75), b, a),
    fma(vec4f(1.5), e, c),
    fma(vec4f(-1.5), e, c),
    fma(vec4f(1.265625), d[1], fma(vec4f(-2.8125), d[3], d[5])),
  );
}

fn winograd_spread(e: Four) -> Six {
  let a = fma(vec4f(0.5625), e[2], e[0]);
  let b = fma(vec4f(0.421875), e[3], 0.75 * e[1]);
  let c = fma(vec4f(2.25), e[2], e[0]);
  let d = fma(vec4f(3.375), e[3], 1.5 * e[1]);
  return Six(e[0], a + b, a - b, c + d, c - d, e[3]);
}

fn winograd_results(p: Six) -> Four {
  let near = p[1] + p[2];
  let odd_near = p[1] - p[2];
  let far = p[3] + p[4];
  let odd_far = p[3] - p[4];
  return Four(
    p[0] + near + far,
    fma(vec4f(1.5), odd_far, 0.75 * odd_near),
    fma(vec4f(2.25), far, 0.5625 * near),
    fma(vec4f(3.375), odd_far, fma(vec4f(0.421875), odd_near, p[5])),
  );
}

// Products of the distances of each point from the others: 81/64, -243/128 (twice), 243/32 (twice), 1.
const SCALE_ZERO = 64.0 / 81.0;
const SCALE_NEAR = -128.0 / 243.0;
const SCALE_FAR = 32.0 / 243.0;

fn winograd_weights(w: Three) -> Six {
  let near = fma(vec4f(0.5625), w[2], w[0]);
  let far = fma(vec4f(2.25), w[2], w[0]);
  return Six(
    SCALE_ZERO * w[0],
    SCALE_NEAR * fma(vec4f(0.75), w[1], near),
    SCALE_NEAR * fma(vec4f(-0.75), w[1], near),
    SCALE_FAR * fma(vec4f(1.5), w[1], far),
    SCALE_FAR * fma(vec4f(-1.5), w[1], far),
    w[2],
  );
}

fn winograd_taps(q: Six) -> Three {
  let near = SCALE_NEAR * (q[1] + q[2]);
  let far = SCALE_FAR * (q[3] + q[4]);
  return Three(
    fma(vec4f(SCALE_ZERO), q[0], near + far),
    fma(vec4f(SCALE_NEAR * 0.75), q[1] - q[2], (SCALE_FAR * 1.5) * (q[3] - q[4])),
    fma(vec4f(0.5625), near, fma(vec4f(2.25), far, q[5])),
  );
}

// The 36 numbers of a tile, in the order in which they are kept: rows 0 to 3 of each of six columns; rows 4 and 5 of two
// columns each.
alias Nine = array<vec4f, 9>;

fn winograd_nine(top: Six, rest: Six) -> Nine {
  return Nine(
    top[0],
    top[1],
    top[2],
    top[3],
    top[4],
    top[5],
    vec4f(rest[0].xy, rest[1].xy),
    vec4f(rest[2].xy, rest[3].xy),
    vec4f(rest[4].xy, rest[5].xy),
  );
}

// Rows 0 to 3 of the six columns, and then rows 4 and 5.
fn winograd_top(places: Nine) -> Six {
  return Six(places[0], places[1], places[2], places[3], places[4], places[5]);
}
fn winograd_rest(places: Nine) -> Six {
  return Six(
    places[6],
    places[6].zwzw,
    places[7],
    places[7].zwzw,
    places[8],
    places[8].zwzw,
  );
}

// Six rows of up to four columns, as columns: rows 0 to 3 of each, and rows 4 and 5.
fn winograd_columns(rows: Six) -> mat4x4f {
  return transpose(mat4x4f(rows[0], rows[1], rows[2], rows[3]));
}
fn winograd_rest_columns(rows: Six) -> mat4x4f {
  return transpose(mat4x4f(rows[4], rows[5], rows[4], rows[5]));
}
