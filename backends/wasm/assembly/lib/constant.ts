// Constants that stay in registers over a loop.

/** 0, of which no compiler knows that it is: no count is negative. */
@inline
export function unknownZero(count: i32): f32 {
  return <f32>(count >> 31);
}

/**
 * A constant in all lanes, to be made before a loop. V8 makes a vector that is written into the code anew in every turn,
 * by three instructions; what depends on `zero`, an `unknownZero`, it keeps.
 */
@inline
export function kept(value: f32, zero: f32): v128 {
  return f32x4.splat(value + zero);
}
