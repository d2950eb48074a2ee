import { type Scope, zeros } from "../../../core/nn/mod.ts";
import { add, constantArray, matmul, mul, reshape, silu, sub, transpose } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/**
 * The discrete Fourier transform over M points as real matrices: X_k = Σ_m h_m e^(−2πi km/M).
 * → cos and −sin, [M, M] each, k by m.
 */
export function fourierMatrices(M: number): { readonly real: number[]; readonly imaginary: number[] } {
  const angles = Array.from({ length: M * M }, (_, at) => (2 * Math.PI * Math.floor(at / M) * (at % M)) / M);
  return { real: angles.map(Math.cos), imaginary: angles.map((angle) => -Math.sin(angle)) };
}

/**
 * A convolution over time with a kernel of its own for each pair of channels, in frequencies:
 *   h ← h + silu(Re IDFT(R · DFT h)),  R [M, C, C] complex, a matrix for each frequency that acts on channels
 * h [M, N, C], all points of a trajectory with N samples or places each. R starts at zero: then the block adds nothing.
 * Dense matrices take the place of a fast transform, since M is small.
 * Zheng et al. 2022, DFNO, arXiv:2211.13449; Li et al. 2020, arXiv:2010.08895.
 */
export function temporalBlock(scope: Scope, h: Tensor): Tensor {
  const [M, N, C] = h.shape;
  const { real, imaginary } = fourierMatrices(M);
  const [cos, sin] = [real, imaginary].map((values) => constantArray(values, [M, M]));
  const flat = reshape(h, [M, N * C]);
  const [re, im] = [cos, sin].map((F) => reshape(matmul(F, flat), [M, N, C]));
  const [A, B] = ["real", "imaginary"].map((name) => scope.parameter(name, [M, C, C], zeros));
  // (re + i·im)(A + i·B), a frequency at a time.
  const [xr, xi] = [sub(matmul(re, A), matmul(im, B)), add(matmul(re, B), matmul(im, A))];
  // The inverse is the conjugate over M, of which the real part is taken.
  const back = (F: Tensor, x: Tensor) => matmul(transpose(F), reshape(x, [M, N * C]));
  const convolved = mul(add(back(cos, xr), back(sin, xi)), 1 / M);
  return add(h, silu(reshape(convolved, h.shape)));
}
