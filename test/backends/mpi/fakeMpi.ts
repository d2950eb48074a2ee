import type { FunctionName, Load, NativeLibrary } from "../../../backends/mpi/functions.ts";

/** A library as tests want it: what it says of itself, and what its functions give. */
export interface FakeLibrary {
  readonly version: string;
  readonly rank?: number;
  readonly size?: number;
  readonly host?: string;
  /** Level of threads that it grants. */
  readonly threads?: number;
  /** Functions that give an error of this number. */
  readonly faults?: Partial<Record<FunctionName, number>>;
}

/** What was done with libraries: `load libmpi.so.40 local`, `unload libmpi.so.40`, `MPI_Finalize`. */
export type Log = string[];

/** A loader that has these libraries by name. Data stays where it is: what is done with it, real ranks test. */
export function fakeLoad(libraries: Record<string, FakeLibrary>, log: Log = []): Load {
  return (name, visibility) => {
    const library = libraries[name];
    if (!library) throw new Error(`${name}: cannot open shared object file`);
    log.push(`load ${name} ${visibility}`);
    return fakeLibrary(library, name, log);
  };
}

/** One library. */
export function fakeLibrary(library: FakeLibrary, name = "libmpi", log: Log = []): NativeLibrary {
  const { version, rank = 0, size = 1, host = "here", threads = 3, faults = {} } = library;
  const call = (name: FunctionName, ...values: unknown[]): number => {
    const put = (at: number, value: number) => ((values[at] as Int32Array)[0] = value);
    const say = (at: number, text: string) => {
      const bytes = new TextEncoder().encode(text);
      (values[at] as Uint8Array).set(bytes);
      put(at + 1, bytes.length);
    };
    if (faults[name]) return faults[name];
    if (name === "MPI_Get_library_version") say(0, version);
    if (name === "MPI_Get_processor_name") say(0, host);
    if (name === "MPI_Error_string") say(1, `error ${values[0]} in words`);
    if (name === "MPI_Init_thread") put(3, threads);
    if (name === "MPI_Comm_rank") put(1, rank);
    if (name === "MPI_Comm_size") put(1, size);
    log.push(name);
    return 0;
  };
  return {
    call,
    begin: async (name, ...values) => call(name, ...values),
    addressOf: (symbol) => BigInt(symbol.length),
    unload: () => log.push(`unload ${name}`),
  };
}

/** What real libraries say of themselves. */
export const VERSIONS = {
  openMpi: "Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4, May 26, 2022",
  oldOpenMpi: "Open MPI v3.1.3, package: Debian OpenMPI, ident: 3.1.3, repo rev: v3.1.3, Oct 29, 2018",
  mpich: "MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\nMPICH ABI:\t14:2:2\n",
  intel: "Intel(R) MPI Library 2021.11 for Linux* OS",
  cray: "MPI VERSION    : CRAY MPICH version 8.1.27.18 (ANL base 3.4a2)\nMPI BUILD INFO : Thu Aug 31 10:56 2023\n",
  mvapich: "MVAPICH2 Version      :\t2.3.7\nMVAPICH2 Release date :\tWed March 02 22:00:00 EST 2022\n",
} as const;
