// philox: Philox 4x32-10, the counter-based random generator of core/random/philox.ts; the same integers bit for bit.
//   Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"
const PHILOX_M0 = 0xd2511f53u;
const PHILOX_M1 = 0xcd9e8d57u;
const PHILOX_WEYL = vec2u(0x9e3779b9u, 0xbb67ae85u);

// High 32 bits of a product; WGSL has no instruction for them.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let middle = a_high * b_low + ((a_low * b_low) >> 16u); // at most 2^32 - 2^17 + 1 + 2^16 - 1: no overflow
  let cross = a_low * b_high + (middle & 0xffffu);
  return a_high * b_high + (middle >> 16u) + (cross >> 16u);
}

fn philox(counter: vec4u, seed: vec2u) -> vec4u {
  var c = counter;
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    let high0 = multiply_high(PHILOX_M0, c.x);
    let high1 = multiply_high(PHILOX_M1, c.z);
    c = vec4u(high1 ^ c.y ^ key.x, PHILOX_M1 * c.z, high0 ^ c.w ^ key.y, PHILOX_M0 * c.x);
    key += PHILOX_WEYL;
  }
  return c;
}

// Numbers in [0, 1) from the top 24 bits, exact.
fn uniform_from(bits: vec4u) -> vec4f {
  return vec4f(bits >> vec4u(8u)) * 5.9604644775390625e-8;
}
