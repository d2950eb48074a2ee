// reducedAxes: where things lie in a reduction over two groups of axes, with kept axes before, between and behind them.
//   x[k0, r0, k1, r1, k2] -> y[k0, k1, k2], strides KEPT0-2 and REDUCED0-1 in elements of x
// `dims` is the kernel's own.

// First element of x that goes into element `output` of y.
fn first_of(output: u32) -> u32 {
  let k2 = output % dims.K2;
  let rest = output / dims.K2;
  return (rest / dims.K1) * dims.KEPT0 + (rest % dims.K1) * dims.KEPT1 + k2 * dims.KEPT2;
}

// Distance from there to the j-th element that is reduced; j counts R1 fastest.
fn nth_of(j: u32) -> u32 {
  let r0 = j / dims.R1;
  return r0 * dims.REDUCED0 + (j - r0 * dims.R1) * dims.REDUCED1;
}
