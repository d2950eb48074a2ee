import { matrixLanes } from "../kernels/matrices.ts";
import { describeMatrices, type MatrixShape, type MatrixUse, type TriedMatrices } from "../subgroupMatrices.ts";
import { deviceRequest, MATRICES } from "./limits.ts";
import { type MatrixTrial, runTrial, trialsOf } from "./matrixTrial.ts";
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
 * Runs each kernel on subgroup matrices once for each type of factors that the adapter claims to multiply, on a device of
 * their own: what a driver breaks there is not used afterwards. Only what gives the right numbers, every bit of them, counts.
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
  const matrices: TriedMatrices[] = [];
  const problems: string[] = [];
  for (const shape of wanted) {
    const { found, problem } = await attempt(shape, again);
    if (found) matrices.push(found);
    if (problem !== undefined) problems.push(`${describeMatrices(shape)}: ${problem}`);
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

/** What came of an attempt: matrices in the form that the device takes, and what is wrong with them. */
interface Attempt {
  readonly found?: TriedMatrices;
  readonly problem?: string;
}

async function attempt(shape: MatrixShape, again: () => Promise<GPUAdapter | null>): Promise<Attempt> {
  const refusals: string[] = [];
  for (const layout of ["template", "argument"] as const) {
    try {
      const adapter = await again();
      if (!adapter) return { problem: "the adapter is gone" };
      const device = await adapter.requestDevice(deviceRequest(adapter, true));
      try {
        return await tryUses(device, { ...shape, layout }, adapter.info);
      } finally {
        device.destroy();
        await device.lost; // Dawn crashes when a device is collected before
      }
    } catch (error) {
      refusals.push(firstLine(error));
    }
  }
  return { problem: refusals[0] };
}

/**
 * Runs every kernel. Without right products there are no matrices; where another kernel fails, they serve other uses.
 * @throws Error when products do not run
 */
async function tryUses(device: GPUDevice, shape: MatrixShape, info: GPUAdapterInfo): Promise<Attempt> {
  const uses: MatrixUse[] = [];
  const problems: string[] = [];
  for (const [use, trials] of trialsOf(shape, matrixLanes({ subgroupMaxSize: info.subgroupMaxSize ?? 0 }))) {
    const problem = await firstProblem(device, shape, trials).catch((error) => {
      if (use === "products") throw error;
      return firstLine(error);
    });
    if (problem === undefined) uses.push(use);
    else if (use === "products") return { problem };
    else problems.push(`no ${use}, ${problem}`);
  }
  return { found: { ...shape, uses }, ...(problems.length > 0 && { problem: problems.join("; ") }) };
}

async function firstProblem(
  device: GPUDevice,
  shape: MatrixShape,
  trials: readonly MatrixTrial[],
): Promise<string | undefined> {
  for (const trial of trials) {
    const problem = await runTrial(device, shape, trial);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

const firstLine = (error: unknown): string => (error as Error).message.split("\n", 1)[0];
