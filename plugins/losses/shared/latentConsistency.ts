/** A step of the teacher between timesteps. */
export interface SkippingStep {
  readonly from: number;
  readonly to: number;
}

/**
 * The steps that a latent consistency model learns on: from every ⌊T/n⌋-th timestep, T = `count`, as many down, not below 0.
 * Index 0 is the lowest. Luo et al. 2023, arXiv:2310.04378, section 4.3, as huggingface/diffusers numbers them.
 */
export function skippingSteps(count: number, n: number): SkippingStep[] {
  const stride = Math.floor(count / n);
  return Array.from({ length: n }, (_, i) => ({ from: (i + 1) * stride - 1, to: Math.max(i * stride - 1, 0) }));
}
