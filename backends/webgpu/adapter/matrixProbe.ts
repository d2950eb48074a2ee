import { describeMatrices, type MatrixShape } from "../subgroupMatrices.ts";
import { deviceRequest, MATRICES } from "./limits.ts";
import { multiplyOnce } from "./matrixTrial.ts";
import type { MatrixTraits } from "./traits.ts";

/** A configuration of subgroup matrices, as the adapter's info lists it; not part of WebGPU yet. */
export interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Finds out about an adapter once; asks for it again only where it offers subgroup matrices. */
export type MatrixProbe = (adapter: GPUAdapter, again: () => Promise<GPUAdapter | null>) => Promise<MatrixTraits>;

/** What was found out, by adapter: each is tried once in a process. */
const known = new Map<string, Promise<MatrixTraits>>();

/** `probeMatrices`, once for all adapters with this name that offer them: an adapter may be asked for without. */
export const probeOnce =
  (name: string): MatrixProbe =>
  (adapter, again) => {
    if (!adapter.features.has(MATRICES)) return probeMatrices(adapter, again);
    const found = known.get(name) ?? probeMatrices(adapter, again);
    known.set(name, found);
    return found;
  };

/**
 * Runs the product of two small matrices for each type of factors that the adapter claims to multiply, on a device of
 * its own: what a driver breaks there is not used afterwards. Only what gives the right numbers, every bit of them, counts.
 */
export const probeMatrices: MatrixProbe = async (adapter, again) => {
  if (!adapter.features.has(MATRICES)) return { matrices: [], matricesProblem: "the adapter does not offer them" };
  const offered = (adapter.info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> }).subgroupMatrixConfigs;
  const configs = [...(offered ?? [])];
  const wanted = fitting(configs, adapter.features.has("shader-f16"));
  if (wanted.length === 0) {
    const list = configs.map(
      ({ M, N, K, componentType, resultComponentType }) => `${M}x${N}x${K} ${componentType}→${resultComponentType}`,
    );
    const what = list.length > 0 ? `only ${list.join(", ")}` : "no configuration";
    return { matrices: [], matricesProblem: `the adapter offers ${what}` };
  }
  const matrices: MatrixShape[] = [];
  const problems: string[] = [];
  for (const shape of wanted) {
    const found = await attempt(shape, again);
    if (typeof found === "string") problems.push(`${describeMatrices(shape)}: ${found}`);
    else matrices.push(found);
  }
  return {
    matrices,
    ...(problems.length > 0 && { matricesProblem: problems.join("; ") }),
  };
};

/**
 * For each type of factors the largest that divide the kernel's tiles, and whose results fit into the workgroup memory that
 * every device has; sums are kept in f32 or not at all.
 */
function fitting(configs: readonly MatrixConfig[], f16: boolean): MatrixShape[] {
  const fits = ({ M, N, K, resultComponentType }: MatrixConfig) =>
    resultComponentType === "f32" && 16 % M === 0 && 32 % N === 0 && 16 % K === 0;
  return (f16 ? (["f32", "f16"] as const) : (["f32"] as const)).flatMap((factors) => {
    const [best] = configs
      .filter((config) => config.componentType === factors && fits(config))
      .sort((a, b) => b.M * b.N * b.K - a.M * a.N * a.K);
    return best ? [{ factors, M: best.M, N: best.N, K: best.K, layout: "template" }] : [];
  });
}

/** The shape in the form that the device takes, or what is wrong with it. */
async function attempt(shape: MatrixShape, again: () => Promise<GPUAdapter | null>): Promise<MatrixShape | string> {
  const refusals: string[] = [];
  for (const layout of ["template", "argument"] as const) {
    try {
      const adapter = await again();
      if (!adapter) return "the adapter is gone";
      const device = await adapter.requestDevice(deviceRequest(adapter, true));
      try {
        const form = { ...shape, layout };
        return (await multiplyOnce(device, form, adapter.info)) ?? form;
      } finally {
        device.destroy();
        await device.lost; // Dawn crashes when a device is collected before
      }
    } catch (error) {
      refusals.push((error as Error).message.split("\n", 1)[0]);
    }
  }
  return refusals[0];
}
