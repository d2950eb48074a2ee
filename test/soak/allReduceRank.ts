// What each rank of `soak allReduce` does: the same array is added up by C and by us, in turns, in one process.
import koffi from "koffi";
import { openCollective } from "../../backends/mpi/mod.ts";

const [peerFile, lengthText, turnsText] = process.argv.slice(2);
const [length, turns] = [Number(lengthText), Number(turnsText)];
const collective = await openCollective();
// Loaded after libmpi, whose functions it calls.
const peer = koffi.load(peerFile).func("double all_reduce(void *values, int count)");
const values = new Float32Array(length);

const timed = async (work: () => Promise<void>) => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};

/** Milliseconds of one sum of all, in each way. C's clock has been read in C. */
const ways: Record<string, () => number | Promise<number>> = {
  c: () => 1000 * peer(values, length),
  library: () => timed(() => collective.allReduce(values, { order: "library" })),
  fixed: () => timed(() => collective.allReduce(values, { order: "fixed" })),
};

const times: Record<string, number[]> = { c: [], library: [], fixed: [] };
const expected = (collective.size * (collective.size + 1)) / 2;
for (let turn = 0; turn <= turns; turn++) {
  for (const [way, run] of Object.entries(ways)) {
    values.fill(collective.rank + 1);
    await collective.barrier();
    const ms = await run();
    if (values.some((value) => value !== expected)) throw new Error(`${way}: the sum is wrong`);
    if (turn > 0) times[way].push(ms); // the first turn allocates
  }
}
// Of a call the slowest rank tells how long it took.
const all = new Float32Array(collective.size * 3 * turns);
all.set(Object.values(times).flat(), collective.rank * 3 * turns);
await collective.allGather(all);
if (collective.rank === 0) {
  const slowest = (way: number) =>
    Array.from({ length: turns }, (_, turn) =>
      Math.max(...Array.from({ length: collective.size }, (_, rank) => all[(rank * 3 + way) * turns + turn])),
    );
  console.log(
    JSON.stringify({ c: slowest(0), library: slowest(1), fixed: slowest(2), transport: collective.transport }),
  );
}
await collective.close();
