// quadTranspose: four numbers of each of four neighbouring lanes, transposed: lane i gets number i of each of them.
// The kernel enables subgroups; all four lanes have to take part.

fn quad_transpose(a: vec4f, lane: u32) -> vec4f {
  let odd = (lane & 1u) == 1u;
  let near = quadSwapX(select(a.yw, a.xz, odd));
  let b = select(vec4f(a.x, near.x, a.z, near.y), vec4f(near.x, a.y, near.y, a.w), odd);
  let high = (lane & 2u) == 2u;
  let far = quadSwapY(select(b.zw, b.xy, high));
  return select(vec4f(b.xy, far), vec4f(far, b.zw), high);
}
