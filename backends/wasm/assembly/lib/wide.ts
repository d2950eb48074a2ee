// Which of the two tile sets the kernels use.

/**
 * 1 where the engine joins neighbouring vectors into one register of 256 bits, so that tiles of twice the width pay;
 * else 0. Both sets give the same bits. A constant of the instance, as it was made: `Kernels` of kernelModule.ts.
 */
// @ts-ignore: a decorator of AssemblyScript
@external("env", "wide")
export declare const WIDE: i32;
