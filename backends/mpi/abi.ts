import type { NativeLibrary } from "./functions.ts";

/** The two binary interfaces that MPI libraries have. Intel's, Cray's and MVAPICH's libraries have MPICH's. */
export type Family = "Open MPI" | "MPICH";

/** What an MPI library calls its constants: each fits a `word`. */
export interface Abi {
  readonly world: bigint;
  readonly float: bigint;
  readonly byte: bigint;
  readonly noType: bigint;
  readonly sum: bigint;
  /** The handler that lets functions return errors. */
  readonly errorsReturn: bigint;
  /** Stands for a buffer whose contents lie where the result goes. */
  readonly inPlace: bigint;
  /** Stands for a status that nobody reads. */
  readonly noStatus: bigint;
}

/** Variables of Open MPI whose addresses are its handles. */
const symbols = {
  world: "ompi_mpi_comm_world",
  float: "ompi_mpi_float",
  byte: "ompi_mpi_byte",
  noType: "ompi_mpi_datatype_null",
  sum: "ompi_mpi_op_sum",
  errorsReturn: "ompi_mpi_errors_return",
} as const;

/** MPICH's handles are numbers, those of its ABI initiative, which stay. */
const mpich: Abi = {
  world: 0x44000000n,
  float: 0x4c00040an,
  byte: 0x4c00010dn,
  noType: 0x0c000000n,
  sum: 0x58000003n,
  errorsReturn: 0x54000001n,
  inPlace: -1n,
  noStatus: 1n,
};

/** The constants of a loaded library. */
export function abiOf(library: NativeLibrary, family: Family): Abi {
  if (family === "MPICH") return mpich;
  const address = (name: keyof typeof symbols) => library.addressOf(symbols[name]);
  return {
    world: address("world"),
    float: address("float"),
    byte: address("byte"),
    noType: address("noType"),
    sum: address("sum"),
    errorsReturn: address("errorsReturn"),
    inPlace: 1n,
    noStatus: 0n,
  };
}

/** What a library says of itself. */
export interface LibraryVersion {
  readonly family: Family;
  /** `Open MPI v4.1.4`. */
  readonly title: string;
  /** Numbers of the version, `[4, 1, 4]`. */
  readonly numbers: readonly number[];
}

/** Longer than any library's version text: MPICH's may have 8,192 bytes. */
const LONGEST = 16_384;

/** Asks a library, which need not be initialised, what it is. Undefined where it is of neither family. */
export function versionOf(library: NativeLibrary): LibraryVersion | undefined {
  const text = new Uint8Array(LONGEST);
  const length = new Int32Array(1);
  library.call("MPI_Get_library_version", text, length);
  return parseVersion(new TextDecoder().decode(text.subarray(0, Math.min(Math.max(length[0], 0), LONGEST))));
}

/** The family, and the version, by what `MPI_Get_library_version` says. */
export function parseVersion(text: string): LibraryVersion | undefined {
  const titles: [RegExp, Family, string][] = [
    [/^Open MPI v?(\d+(?:\.\d+)*)/, "Open MPI", "Open MPI v"],
    [/^MPICH Version:\s*v?(\d+(?:\.\d+)*)/, "MPICH", "MPICH "],
    [/^Intel\(R\) MPI Library (\d+(?:\.\d+)*)/, "MPICH", "Intel MPI "],
    [/^MVAPICH2?\S* Version\s*:\s*v?(\d+(?:\.\d+)*)/, "MPICH", "MVAPICH "],
    [/^MPI VERSION\s*:\s*CRAY MPICH version (\d+(?:\.\d+)*)/, "MPICH", "Cray MPICH "],
  ];
  for (const [pattern, family, title] of titles) {
    const version = text.trimStart().match(pattern)?.[1];
    if (version) return { family, title: `${title}${version}`, numbers: version.split(".").map(Number) };
  }
  return undefined;
}
