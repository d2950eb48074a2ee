import { suite } from "uvu";
import * as assert from "uvu/assert";
import { abiOf, parseVersion } from "../../../backends/mpi/abi.ts";
import { type Launch, launchOf } from "../../../backends/mpi/launcher.ts";
import { candidates, findLibrary } from "../../../backends/mpi/libraries.ts";
import { thrown } from "../../helpers/thrown.ts";
import { fakeLibrary, fakeLoad, type Log, VERSIONS } from "./fakeMpi.ts";

const test = suite("backends/mpi/libraries");

test("parseVersion: the family of a library, by what it says of itself", () => {
  const found = Object.values(VERSIONS).map((text) => {
    const { family, title, numbers } = parseVersion(text)!;
    return [family, title, ...numbers];
  });
  assert.equal(found, [
    ["Open MPI", "Open MPI v4.1.4", 4, 1, 4],
    ["Open MPI", "Open MPI v3.1.3", 3, 1, 3],
    ["MPICH", "MPICH 4.0.2", 4, 0, 2],
    ["MPICH", "Intel MPI 2021.11", 2021, 11],
    ["MPICH", "Cray MPICH 8.1.27.18", 8, 1, 27, 18],
    ["MPICH", "MVAPICH 2.3.7", 2, 3, 7],
  ]);
  for (const text of ["", "Microsoft MPI 10.1", "Open MPI", "x Open MPI v4.1.4"])
    assert.is(parseVersion(text), undefined);
});

test("abiOf: addresses of Open MPI's variables, numbers of MPICH's ABI", () => {
  const openMpi = abiOf(fakeLibrary({ version: VERSIONS.openMpi }), "Open MPI");
  assert.equal(openMpi.world, BigInt("ompi_mpi_comm_world".length));
  assert.equal(openMpi.inPlace, 1n);
  const mpich = abiOf(fakeLibrary({ version: VERSIONS.mpich }), "MPICH");
  assert.equal([mpich.world, mpich.float, mpich.sum, mpich.inPlace], [0x44000000n, 0x4c00040an, 0x58000003n, -1n]);
});

const openMpi = { OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "4" };
const pmi = { PMI_RANK: "2", PMI_SIZE: "3" };
const step = { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "2" };

const launches: [what: string, environment: Record<string, string>, expected: Launch | undefined][] = [
  ["nothing", {}, undefined],
  ["mpirun", openMpi, { by: "mpirun of Open MPI", family: "Open MPI", rank: 1, size: 4 }],
  [
    "mpirun in a step of Slurm",
    { ...step, ...openMpi },
    { by: "mpirun of Open MPI", family: "Open MPI", rank: 1, size: 4 },
  ],
  ["one rank of mpirun", { OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "1" }, undefined],
  ["mpiexec", { ...pmi, MPI_LOCALRANKID: "0" }, { by: "mpiexec of MPICH", family: "MPICH", rank: 2, size: 3 }],
  [
    "mpiexec whose helpers a step of Slurm has started",
    { ...step, ...pmi, MPI_LOCALRANKID: "0" },
    { by: "mpiexec of MPICH", family: "MPICH", rank: 2, size: 3 },
  ],
  ["another launcher", pmi, { by: "a launcher that speaks PMI", rank: 2, size: 3 }],
  ["srun with pmi2", { ...pmi, SLURM_PROCID: "2", SLURM_STEP_NUM_TASKS: "3" }, { by: "srun", rank: 2, size: 3 }],
  ["srun", step, { by: "srun", rank: 0, size: 2 }],
  ["a batch script of Slurm", { SLURM_PROCID: "0", SLURM_NTASKS: "8" }, undefined],
  ["a shell of srun", { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "1", SLURM_NTASKS: "8" }, undefined],
  ["no numbers", { OMPI_COMM_WORLD_RANK: "-1", OMPI_COMM_WORLD_SIZE: "many" }, undefined],
  ["a rank that is none", { PMI_RANK: "3", PMI_SIZE: "3" }, undefined],
];

for (const [what, environment, expected] of launches) {
  test(`launchOf: ${what}`, () => {
    const launch = launchOf(environment);
    assert.equal(launch && JSON.parse(JSON.stringify(launch)), expected);
  });
}

const byOpenMpi = launchOf(openMpi)!;
const byMpich = launchOf({ ...pmi, MPI_LOCALRANKID: "0" })!;
const bySlurm = launchOf(step)!;

test("findLibrary: the launcher's, seen by this file alone until it is known", () => {
  const log: Log = [];
  const load = fakeLoad(
    { "libmpi.so.40": { version: VERSIONS.openMpi }, "libmpich.so.12": { version: VERSIONS.mpich } },
    log,
  );
  assert.is(findLibrary(load, byMpich, "linux", undefined).title, "MPICH 4.0.2");
  const loads = log.filter((line) => /load/.test(line));
  assert.equal(loads, ["load libmpich.so.12 local", "unload libmpich.so.12", "load libmpich.so.12 global"]);
  assert.is(findLibrary(load, byOpenMpi, "linux", undefined).title, "Open MPI v4.1.4");
  assert.is(findLibrary(load, bySlurm, "linux", undefined).title, "Open MPI v4.1.4");
});

test("findLibrary: libmpi.so may be either's", () => {
  const load = fakeLoad({ "libmpi.so": { version: VERSIONS.intel } });
  assert.is(findLibrary(load, byMpich, "linux", undefined).title, "Intel MPI 2021.11");
  const { code, message, fix } = thrown(() => findLibrary(load, byOpenMpi, "linux", undefined));
  assert.is(code, "E_MPI");
  assert.match(message, /mpirun of Open MPI has started 4 ranks, but libmpi\.so is Intel MPI 2021\.11; both should/);
  assert.match(fix, /ONESTEP_LIBMPI=PATH/);
});

test("findLibrary: none, one that is too old, one that is none", () => {
  const none = thrown(() => findLibrary(fakeLoad({}), bySlurm, "linux", undefined));
  assert.match(
    none.message,
    /srun has started 2 ranks, but there is no libmpi \(tried libmpi\.so\.40, .*libmpich\.so\.12/,
  );
  const old = fakeLoad({ "libmpi.so.40": { version: VERSIONS.oldOpenMpi } });
  const { message } = thrown(() => findLibrary(old, byOpenMpi, "linux", undefined));
  assert.match(message, /libmpi\.so\.40 is Open MPI v3\.1\.3, should be 4\.1 or newer/);
  const odd = fakeLoad({ "/x/libodd.so": { version: "odd" } });
  assert.match(
    thrown(() => findLibrary(odd, byOpenMpi, "linux", "/x/libodd.so")).message,
    /libodd\.so is no library of/,
  );
});

test("candidates: names of the system, the launcher's first; a given one alone", () => {
  assert.is(candidates("linux", byOpenMpi, undefined)[0], "libmpi.so.40");
  assert.is(candidates("linux", byMpich, undefined)[0], "libmpich.so.12");
  assert.match(candidates("darwin", bySlurm, undefined)[0], /dylib$/);
  assert.equal(candidates("win32", bySlurm, undefined), []);
  assert.equal(candidates("linux", byMpich, "/x/libmpi.so"), ["/x/libmpi.so"]);
});

test.run();
