import process from "node:process";
import { failure, OnestepError } from "../../core/errors.ts";
import { type Collective, localCollective, textsOfRanks } from "../../core/interfaces/collective.ts";
import { denoLoad, isDeno } from "./deno.ts";
import type { Load } from "./functions.ts";
import { koffiLoad } from "./koffi.ts";
import { type Launch, launchOf } from "./launcher.ts";
import { findLibrary, LIBRARY_VARIABLE } from "./libraries.ts";
import { Mpi } from "./mpi.ts";
import { MpiCollective } from "./mpiCollective.ts";

/** Ranks that this process has joined, and will leave. */
export interface OpenCollective extends Collective {
  /** The name of this host; empty where there is one process. */
  readonly host: string;
  /** Ends all ranks at once, whatever they are doing; the job ends with this status. Nothing happens where there is one process. */
  abort(status: number): void;
  /** Waits for the operations that were begun, and leaves. All ranks call it; nothing can be begun afterwards. */
  close(): Promise<void>;
}

/** What `openCollective` sees of the machine; other things for tests. */
export interface Surroundings {
  readonly environment?: Record<string, string | undefined>;
  readonly platform?: string;
  readonly load?: () => Promise<Load>;
  /** Waits for so many milliseconds. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/**
 * Settings that the libraries read from the environment when they are loaded; those of the user stay. Ranks that wait do so in a
 * loop: with two on one core an all-reduce of one number takes 16 ms unless they yield, and 35 µs if they do. Signals belong to the
 * JavaScript engine, which makes errors of WebAssembly out of them.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  OMPI_MCA_mpi_yield_when_idle: "1",
  UCX_ERROR_SIGNALS: "",
};

/**
 * Other ranks have the same fault, as a rule: the first of them tells it, and the launcher ends the others, who would speak after so
 * many milliseconds, and so many more for each rank before them, up to `most`.
 */
const SILENCE = { first: 4000, each: 50, most: 10_000 };

const alone: OpenCollective = Object.freeze({
  ...localCollective,
  host: "",
  abort: () => {},
  close: async () => {},
});

/**
 * The ranks that this process is one of. Without a launcher (mpirun, mpiexec, srun) it is one by itself, and nothing is loaded.
 * Rejects with E_MPI where the ranks can't be joined, on rank 0 at once and on others a little later: by then the launcher has ended
 * them, unless rank 0 has not met the fault.
 */
export async function openCollective(surroundings: Surroundings = {}): Promise<OpenCollective> {
  const { environment = process.env, wait = pause } = surroundings;
  const launch = launchOf(environment);
  if (!launch) return alone;
  try {
    return await join(launch, surroundings);
  } catch (error) {
    if (launch.rank > 0 && error instanceof OnestepError)
      await wait(Math.min(SILENCE.first + SILENCE.each * launch.rank, SILENCE.most));
    throw error;
  }
}

async function join(launch: Launch, surroundings: Surroundings): Promise<OpenCollective> {
  const { environment = process.env, platform = process.platform, load = loadOfRuntime } = surroundings;
  for (const [name, value] of Object.entries(SETTINGS)) environment[name] ??= value;
  const { library, family, title } = findLibrary(await load(), launch, platform, environment[LIBRARY_VARIABLE]);
  const mpi = new Mpi(library, family);
  mpi.initialise();
  checkSize(mpi, launch, title);
  const { host } = mpi;
  const hosts = await textsOfRanks(new MpiCollective(mpi, { localRank: 0, localSize: 1, transport: title }), host);
  const here = hosts.flatMap((each, rank) => (each === host ? [rank] : []));
  const place = { localRank: here.indexOf(mpi.rank), localSize: here.length, transport: title };
  return Object.assign(new MpiCollective(mpi, place), { host });
}

/** With a launcher of another MPI, or one without support for this one, every process sees itself alone. */
function checkSize(mpi: Mpi, { by, size }: Launch, title: string): void {
  const found = mpi.size;
  if (found === size) return;
  // One that is alone can leave; it would be counted as lost otherwise.
  if (found === 1) mpi.call("MPI_Finalize");
  const seen = `${by} has started ${size} ranks, but ${title} sees ${found}`;
  throw failure("E_MPI", `Cannot join the other ranks: ${seen}; both should be of one MPI`, {
    fix:
      by === "srun"
        ? "start with srun --mpi=pmix (Open MPI) or --mpi=pmi2 (MPICH), or with mpirun inside of the allocation"
        : `start with the mpirun of that library, or name the right libmpi with ${LIBRARY_VARIABLE}=PATH`,
  });
}

const loadOfRuntime = async (): Promise<Load> => (isDeno() ? denoLoad : koffiLoad());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
