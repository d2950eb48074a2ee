/**
 * `node build.mjs soak allReduce --ranks 2 --megabytes 40 --turns 15`: adds up an array over ranks, by MPI_Allreduce called from C,
 * by the same call from here, and in the fixed order, in turns on the same array in one process each. Prints the median times, and
 * fails where ours is slower than C by more than the bar. `--hosts on --rate 1gbit` puts half of the ranks on another "host", a
 * network namespace, behind a cable that is as fast. Needs Open MPI with its compiler mpicc.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundled, hasMpirun, type JobEnded, runRanks } from "../helpers/mpirun.ts";
import { hostsMissing, makeTwoHosts } from "../helpers/twoHosts.ts";

/** How much longer than C's the same call may take from here. */
const BAR = 1.3;

const PEER = `#include <mpi.h>
double all_reduce(void *values, int count) {
  double began = MPI_Wtime();
  if (MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD)) return -1;
  return MPI_Wtime() - began;
}
`;

const { values } = parseArgs({
  options: {
    ranks: { type: "string", default: "2" },
    megabytes: { type: "string", default: "40" },
    turns: { type: "string", default: "15" },
    hosts: { type: "string", default: "off" },
    rate: { type: "string" },
  },
});
const ranks = Number(values.ranks);
const length = Math.round((Number(values.megabytes) * 1e6) / 4);

const median = (times: readonly number[]) => [...times].sort((a, b) => a - b)[times.length >> 1];

/** Runs the program on one machine or on two hosts; `where` says which. */
async function run(words: readonly string[]): Promise<JobEnded & { readonly where: string }> {
  const limit = 10 * 60_000;
  if (values.hosts === "off") return { ...(await runRanks(ranks, words, { limit })), where: "one host" };
  const missing = hostsMissing();
  if (missing) throw new Error(`two hosts can't be made here: ${missing}`);
  const hosts = makeTwoHosts({ rate: values.rate });
  try {
    return { ...(await hosts.run(ranks / 2, words, { limit })), where: `two hosts, ${hosts.rate}` };
  } finally {
    hosts.remove();
  }
}

async function main(): Promise<number> {
  if (!hasMpirun()) return 1;
  const folder = mkdtempSync(join(tmpdir(), "onestep-peer-"));
  try {
    writeFileSync(join(folder, "peer.c"), PEER);
    const peer = join(folder, "peer.so");
    execFileSync("mpicc", ["-O2", "-shared", "-fPIC", "-o", peer, join(folder, "peer.c")]);
    const program = await bundled("test/soak/allReduceRank.ts");
    const { code, stdout, stderr, where } = await run([process.execPath, program, peer, `${length}`, values.turns]);
    if (code !== 0) throw new Error(`the job ended with ${code}: ${stderr}`);
    const { c, library, fixed, transport } = JSON.parse(stdout);
    const [ofC, ofLibrary, ofFixed] = [c, library, fixed].map(median);
    const ms = (time: number) => `${time.toFixed(1)} ms`;
    const times = (time: number) => (time / ofC).toFixed(2);
    console.log(
      `${ranks} ranks, ${where}, ${values.megabytes} MB, ${transport}, median of ${values.turns}: ` +
        `C ${ms(ofC)}, library ${ms(ofLibrary)} (${times(ofLibrary)} x), fixed ${ms(ofFixed)} (${times(ofFixed)} x)`,
    );
    return ofLibrary <= BAR * ofC ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
