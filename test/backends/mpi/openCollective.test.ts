import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openCollective } from "../../../backends/mpi/mod.ts";
import { failure } from "../../../core/errors.ts";
import { rejected } from "../../helpers/thrown.ts";
import { type FakeLibrary, fakeLoad, type Log, VERSIONS } from "./fakeMpi.ts";

const test = suite("backends/mpi/openCollective");

/** Opens on a machine with one library, as a rank of two that mpirun has started; tells how long it waited. */
function opened(library: Partial<FakeLibrary>, environment: Record<string, string | undefined> = {}) {
  const [log, waits]: [Log, number[]] = [[], []];
  const open = openCollective({
    environment: Object.assign(environment, {
      OMPI_COMM_WORLD_SIZE: "2",
      OMPI_COMM_WORLD_RANK: `${library.rank ?? 0}`,
    }),
    platform: "linux",
    load: async () => fakeLoad({ "libmpi.so.40": { version: VERSIONS.openMpi, size: 2, ...library } }, log),
    wait: async (ms) => waits.push(ms),
  });
  return { open, log, waits, environment };
}

test("without a launcher: one process, and nothing is loaded", async () => {
  const load = () => Promise.reject(new Error("loaded"));
  const collective = await openCollective({ environment: { PATH: "/bin" }, load });
  assert.equal([collective.rank, collective.size, collective.transport], [0, 1, "one process"]);
  collective.abort(1);
  await collective.close();
});

test("joins, asks for threads that yield, and keeps what the user has set", async () => {
  const { open, log, environment } = opened({ rank: 1, host: "node7" }, { UCX_ERROR_SIGNALS: "SIGBUS" });
  const { rank, size, transport, host } = await open;
  assert.equal([rank, size, transport, host], [1, 2, "Open MPI v4.1.4", "node7"]);
  assert.equal(environment.OMPI_MCA_mpi_yield_when_idle, "1");
  assert.equal(environment.UCX_ERROR_SIGNALS, "SIGBUS");
  assert.ok(log.indexOf("MPI_Comm_set_errhandler") > log.indexOf("MPI_Init_thread"));
});

test("a library that sees another number of ranks: refused, and left where it is alone", async () => {
  const { open, log, waits } = opened({ size: 1 });
  const { code, message } = await rejected(open);
  assert.is(code, "E_MPI");
  assert.match(
    message,
    /mpirun of Open MPI has started 2 ranks, but Open MPI v4\.1\.4 sees 1; both should be of one MPI/,
  );
  assert.is(log.at(-1), "MPI_Finalize");
  assert.equal(waits, [], "rank 0 tells it at once");
});

test("too few threads: refused, other ranks wait before they say so", async () => {
  const { open, waits } = opened({ rank: 1, threads: 1 });
  const { message, fix } = await rejected(open);
  assert.match(
    message,
    /lets only one thread call it \(MPI_THREAD_FUNNELED\), should give MPI_THREAD_SERIALIZED or more/,
  );
  assert.match(fix, /built with threads/);
  assert.equal(waits, [4050]);
});

test("no koffi: refused", async () => {
  const environment = { OMPI_COMM_WORLD_SIZE: "900", OMPI_COMM_WORLD_RANK: "899" };
  const waits: number[] = [];
  const load = () => Promise.reject(failure("E_MPI", "Cannot join the other ranks: no koffi"));
  const open = openCollective({ environment, load, wait: async (ms) => waits.push(ms) });
  assert.match((await rejected(open)).message, /no koffi/);
  assert.equal(waits, [10_000], "bounded");
});

test("operations begin in their order; after a fault none begins", async () => {
  const { open, log } = opened({ faults: { MPI_Bcast: 17 } });
  const collective = await open;
  log.length = 0;
  const values = new Float32Array(3);
  const first = collective.allReduce(values, { order: "library" });
  const faulty = collective.broadcast(values);
  const later = collective.barrier();
  await first;
  const { code, message } = await rejected(faulty);
  assert.is(code, "E_MPI");
  assert.match(message, /MPI_Bcast gave error 17 in words/);
  assert.is((await rejected(later)).message, message);
  assert.equal(log, ["MPI_Allreduce", "MPI_Error_string"]);
});

test("close: waits for what was begun, leaves, and ends what could be begun later", async () => {
  const { open, log } = opened({});
  const collective = await open;
  log.length = 0;
  void collective.allGather(new Uint8Array(2));
  await collective.close();
  assert.equal(log, ["MPI_Allgatherv", "MPI_Barrier", "MPI_Finalize"]);
  assert.is((await rejected(collective.barrier())).code, "E_DISPOSED");
});

test("an array that MPI can't count: refused", async () => {
  const { open } = opened({});
  const huge = Object.defineProperty(new Float32Array(1), "length", { value: 2 ** 31 });
  const { code, message } = await rejected((await open).allGather(huge));
  assert.is(code, "E_MPI");
  assert.match(message, /2147483648 elements: MPI counts up to 2147483647/);
});

test.run();
