import type { Family } from "./abi.ts";

/** Who started this process as one of several, as the environment tells it. */
export interface Launch {
  /** For people: `mpirun of Open MPI`. */
  readonly by: string;
  /** Which library the launcher belongs to; undefined where it serves any. */
  readonly family?: Family;
  readonly rank: number;
  readonly size: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Launcher {
  /** What a launcher is called, and whose it is, by what else it says. */
  readonly who: (environment: Environment) => Pick<Launch, "by" | "family">;
  /** Variables that hold the rank and the number of ranks. */
  readonly rank: string;
  readonly size: string;
}

/**
 * The first whose variables are there counts: where mpirun or mpiexec work inside of a job of Slurm, they start their helpers with
 * srun, and its variables are there as well.
 */
const launchers: readonly Launcher[] = [
  {
    who: () => ({ by: "mpirun of Open MPI", family: "Open MPI" }),
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
  },
  {
    // Others speak PMI too, srun with --mpi=pmi2 for one, and serve any library.
    who: ({ MPI_LOCALRANKID, SLURM_STEP_NUM_TASKS, PMI_SIZE }) => {
      if (SLURM_STEP_NUM_TASKS === PMI_SIZE) return { by: "srun" };
      return MPI_LOCALRANKID ? { by: "mpiexec of MPICH", family: "MPICH" } : { by: "a launcher that speaks PMI" };
    },
    rank: "PMI_RANK",
    size: "PMI_SIZE",
  },
  // A batch script may have many tasks (SLURM_NTASKS) and is none of them; the tasks of a step are ranks.
  { who: () => ({ by: "srun" }), rank: "SLURM_PROCID", size: "SLURM_STEP_NUM_TASKS" },
];

/** How this process was started; undefined when it is one by itself, or the only rank. */
export function launchOf(environment: Environment): Launch | undefined {
  for (const { who, rank, size } of launchers) {
    const [own, all] = [numberIn(environment[rank]), numberIn(environment[size])];
    if (own === undefined || all === undefined || own >= all) continue;
    return all > 1 ? { ...who(environment), rank: own, size: all } : undefined;
  }
  return undefined;
}

const numberIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
