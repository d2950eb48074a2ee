/** A command that several processes carry out together, as mpirun has started them. */
import { processLimits } from "../../backends/host/limits.ts";
import { failure } from "../../core/errors.ts";
import type { Backend, Collective } from "../../core/interfaces/mod.ts";
import { isCommon, Ranks, type RunSettings, rankName } from "../../core/train/mod.ts";
import type { EngineOptions } from "./device.ts";
import { errorText, exitStatus, INTERRUPTED } from "./exitStatus.ts";

/** Ranks that this process has joined; this process alone where nothing has started others. */
interface Joined {
  readonly collective: Collective;
  readonly host: string;
  abort(status: number): void;
  close(): Promise<void>;
}

const join = async (): Promise<Joined> => {
  const { openCollective } = await import("../../backends/mpi/mod.ts");
  const collective = await openCollective();
  const { host } = collective;
  return { collective, host, abort: (status) => collective.abort(status), close: () => collective.close() };
};

/**
 * Carries out a command with the other ranks; rank 0 alone is heard. An error that all ranks have is told by rank 0; another one by
 * the rank that has it, which then ends all.
 */
export async function asRank(work: (ranks: Ranks) => Promise<number>): Promise<number> {
  const { collective, host, abort, close } = await join();
  const ranks = new Ranks(collective, "fixed", host);
  if (!ranks.several) return work(ranks);
  const tell = process.stderr.write.bind(process.stderr);
  if (!ranks.leads) for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
  try {
    const status = await work(ranks);
    await close();
    return status;
  } catch (error) {
    if (!isCommon(error)) {
      tell(`${rankName(ranks.rank, host)} ends the run\n${errorText(error)}\n`);
      abort(exitStatus(error));
    }
    await close();
    if (ranks.leads) throw error;
    return exitStatus(error);
  }
}

/** Which reproducibility a run has, for people; undefined where one process computes it. */
export function ranksLine(
  { collective, several, size }: Ranks,
  { sumOrder, accumulate }: RunSettings,
): string | undefined {
  if (!several) return undefined;
  const parts = Math.max(accumulate, size);
  const promise =
    sumOrder === "fixed"
      ? `the ${parts} parts of a batch are added in their order: the bits of one process with train.accumulate=${parts}, whatever the number of ranks`
      : `sums are as the library makes them: the same bits for ${size} ranks on the same hosts, within rounding those of others`;
  return `ranks   ${size} (${collective.transport}); ${promise}`;
}

/** How a device is opened by a rank: processes of one host divide its processors. */
export function dividedEngine(engine: EngineOptions, { localSize }: Collective, cores: number): EngineOptions {
  if (localSize === 1 || engine.threads !== undefined) return engine;
  return { ...engine, threads: Math.max(1, Math.floor(cores / localSize)) };
}

export const coresHere = (): number => processLimits(process).cores;

/** Variables by which launchers and containers give each process GPUs of its own. */
const VISIBLE = ["CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "SLURM_STEP_GPUS"];

/** @throws E_RANKS on all ranks where two of them compute on one GPU */
export async function checkDevices(ranks: Ranks, { info }: Backend, environment = process.env): Promise<void> {
  if (!ranks.several) return;
  const isGpu = info.backend === "webgpu" && !info.software;
  const visible = VISIBLE.map((name) => environment[name] ?? "");
  const all = await ranks.all({ host: ranks.place, name: isGpu ? info.name : "", visible });
  await ranks.led(async () => {
    const keys = all.map((each) => JSON.stringify(each));
    const second = keys.findIndex((key, rank) => all[rank].name !== "" && keys.indexOf(key) < rank);
    if (second < 0) return;
    const [first, { host, name }] = [keys.indexOf(keys[second]), all[second]];
    throw failure(
      "E_RANKS",
      `Cannot share the run: ranks ${first} and ${second} on ${host} have the same GPU, ${name}; each should have its own`,
      {
        fix: `start one rank for each GPU, and let the launcher give each its own: srun --gpus-per-task=1, or ${VISIBLE[0]} of each rank`,
      },
    );
  });
}

/** Milliseconds between mpirun's SIGTERM and the end of a rank; mpirun gives it a second. */
const GRACE = 500;

/**
 * Calls `ask` at SIGUSR2, which launchers pass on to all ranks and then wait. SIGTERM is mpirun's, after Ctrl-C or when a rank is lost:
 * no step can be ended any more, and the rank ends, so that it lets go of the run's folder. Returns the function that ends the watch.
 */
export function onStopSignal({ several }: Ranks, ask: () => void): () => void {
  if (!several) return () => {};
  const leave = () => void setTimeout(() => process.exit(INTERRUPTED), GRACE).unref();
  process.on("SIGUSR2", ask);
  process.on("SIGTERM", leave);
  return () => {
    process.off("SIGUSR2", ask);
    process.off("SIGTERM", leave);
  };
}
