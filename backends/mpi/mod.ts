/** onestep/mpi: several processes that train together, on Open MPI or MPICH. */
export { type OpenCollective, openCollective, type Surroundings } from "./openCollective.ts";
