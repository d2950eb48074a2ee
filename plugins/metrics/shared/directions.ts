/** A direction of unit length in `size` dimensions, evenly spread over the sphere: normal numbers by Box and Muller, scaled. */
export function directionOf(size: number, random: () => number): Float64Array {
  const axis = Float64Array.from({ length: size }, () => {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  });
  const length = Math.hypot(...axis);
  return axis.map((each) => each / length);
}
