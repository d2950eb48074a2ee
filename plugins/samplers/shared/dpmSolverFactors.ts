/** The coefficients of multistep DPM solvers in noise levels σ, λ = −ln σ. Lu et al. 2022, arXiv:2211.01095, Appendix. */
import { failure } from "../../../core/errors.ts";

export interface SolverMethod {
  /** Second-order term. */
  readonly solver: "midpoint" | "heun";
  /** What is extrapolated. */
  readonly predict: "sample" | "noise";
  /** Fresh noise: 0 for the ODE, 1 for the SDE. */
  readonly eta: number;
}

/** x ← keep·x + Σ_k factors[k]·m_k + rise·ε, m_0 being the newest prediction. */
export interface SolverFactors {
  readonly keep: number;
  readonly factors: readonly number[];
  readonly rise: number;
}

/**
 * The step from σ_i to σ_{i+1}. With h = λ_{i+1} − λ_i, g = (1 + η) h and differences of predictions D1, D2:
 *   sample  x ← (σ'/σ) e^{−ηh} x − E·m_0 + b1·D1 + b2·D2 + σ' √(1 − e^{−2ηh}) ε,   E = e^{−g} − 1
 *           b1 = −E/2 (midpoint) or E/g + 1 (heun);   third order: b1 = E/g + 1, b2 = −((E + g)/g² − 1/2)
 *   noise   x ← x − (1 + η) σ' E·m_0 + …,   E = e^h − 1, b1 = −(1 + η) σ'E/2 or −(1 + η) σ' (E/h − 1),
 *           b2 = −(1 + η) σ' ((E − h)/h² − 1/2),   noise σ' √(e^{2h} − 1) for η = 1
 * @throws E_OPTION for a noise prediction that ends at σ = 0 or has η other than 0 and 1
 */
export function solverFactors(
  sigmas: readonly number[],
  i: number,
  order: number,
  { solver, predict, eta }: SolverMethod,
): SolverFactors {
  const [sigma, next] = [sigmas[i], sigmas[i + 1]];
  const h = Math.log(sigma / next); // infinite at the step to 0
  if (predict === "noise") checkNoise(next, eta);
  const g = predict === "sample" ? (1 + eta) * h : h;
  const sign = predict === "sample" ? -1 : 1;
  const E = Math.expm1(sign * g);
  const scale = predict === "sample" ? 1 : -(1 + eta) * next;
  const phi1 = predict === "sample" ? -E : E;
  const phi2 = E / g - sign; // (e^{∓g} − 1)/g ± 1
  const phi3 = (E - sign * g) / g ** 2 - 0.5;
  const base = {
    keep: predict === "noise" ? 1 : next === 0 ? 0 : (next / sigma) * Math.exp(-eta * h),
    rise: riseOf(predict, next, h, eta),
  };
  if (order === 1) return { ...base, factors: [scale * phi1] };
  const r0 = Math.log(sigmas[i - 1] / sigma) / h;
  if (order === 2) {
    const d1 = solver === "midpoint" ? phi1 / 2 : phi2;
    return { ...base, factors: [phi1 + d1 / r0, -d1 / r0].map((f) => scale * f) };
  }
  const r1 = Math.log(sigmas[i - 2] / sigmas[i - 1]) / h;
  // D1 = a + r0/(r0 + r1)·(a − b), D2 = (a − b)/(r0 + r1), a = (m_0 − m_1)/r0, b = (m_1 − m_2)/r1
  const bend = predict === "sample" ? -phi3 : phi3;
  const ofA = phi2 * (1 + r0 / (r0 + r1)) + bend / (r0 + r1);
  const ofB = -phi2 * (r0 / (r0 + r1)) - bend / (r0 + r1);
  const factors = [phi1 + ofA / r0, ofB / r1 - ofA / r0, -ofB / r1];
  return { ...base, factors: factors.map((f) => scale * f) };
}

const riseOf = (predict: "sample" | "noise", next: number, h: number, eta: number): number => {
  if (eta === 0 || next === 0) return 0;
  return next * Math.sqrt(predict === "sample" ? -Math.expm1(-2 * eta * h) : Math.expm1(2 * h));
};

function checkNoise(next: number, eta: number): void {
  if (next === 0)
    throw failure(
      "E_OPTION",
      "Cannot configure dpm-solver: end is 0 and predict is noise, which needs an end above 0",
      { fix: "predict the sample, or set `end` to the lowest level" },
    );
  if (eta !== 0 && eta !== 1)
    throw failure(
      "E_OPTION",
      `Cannot configure dpm-solver: eta is ${eta} and predict is noise, which knows eta 0 and 1`,
    );
}
