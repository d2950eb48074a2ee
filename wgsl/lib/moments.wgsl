// moments: mean, sum of squared distances from it, and count of a set of numbers, as (x, y, z) of a vector.
//   of two sets as one: Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances

fn join_moments(a: vec3f, b: vec3f) -> vec3f {
  let delta = b.x - a.x;
  let count = a.z + b.z;
  let share = b.z / max(count, 1.0); // both may be empty
  return vec3f(a.x + delta * share, a.y + b.y + delta * delta * a.z * share, count);
}
