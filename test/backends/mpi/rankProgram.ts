// What every rank of a tested job does: the scenario that its first argument names. Rank 0 prints what was found, as JSON.
import { openCollective } from "../../../backends/mpi/mod.ts";
import { OnestepError } from "../../../core/errors.ts";
import { evenBounds, textsOfRanks } from "../../../core/interfaces/collective.ts";

/** Lengths on both sides of those at which Open MPI changes its algorithm, and of what we add up at a time. */
const LENGTHS = [0, 1, 2, 5, 512, 1024, 2048, 4096, 16_385, 65_536, 1_100_003];

const collective = await openCollective().catch((error) => {
  if (!(error instanceof OnestepError)) throw error;
  console.error(`${error.code}: ${error.message}. ${error.fix}.`);
  process.exit(1);
});
const { rank, size } = collective;

/** What rank r brings: numbers whose sum in float32 depends on the order. */
const part = (r: number, length: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7 + r * 911) * 10 ** ((i * 7 + r) % 5));

function sumInOrder(length: number): Float32Array {
  const sum = part(0, length);
  for (let r = 1; r < size; r++) part(r, length).forEach((value, i) => void (sum[i] += value));
  return sum;
}

const differing = (a: Float32Array, b: Float32Array) => a.filter((value, i) => !Object.is(value, b[i])).length;

const scenarios: Record<string, () => Promise<unknown>> = {
  /** Elements that differ from the sum in rank order, and whether all ranks have the same bits. */
  async sums() {
    const found = [];
    for (const length of LENGTHS) {
      const expected = sumInOrder(length);
      const bounds = [...evenBounds(length, size)].map((bound, r) => (r === 1 ? Math.min(bound + 3, length) : bound));
      bounds.sort((a, b) => a - b);
      for (const order of ["fixed", "library"] as const) {
        const [whole, shares, odd] = [part(rank, length), part(rank, length), part(rank, length)];
        // All of it is begun before anything is awaited.
        const done = [
          collective.allReduce(whole, { order }),
          collective.reduceScatter(shares, { order }),
          collective.allGather(shares),
          collective.reduceScatter(odd, { order, bounds }),
          collective.allGather(odd, { bounds }),
        ];
        await Promise.all(done);
        const arrays = [whole, shares, odd];
        const wrong = arrays.map((array) => differing(array, expected));
        const close = arrays.every((array) => array.every((v, i) => Math.abs(v - expected[i]) <= 0.01));
        const texts = await textsOfRanks(collective, arrays.map((array) => hashOf(array)).join());
        found.push({ length, order, wrong, close, same: new Set(texts).size === 1 });
      }
    }
    return found;
  },

  /** Bytes and floats of one rank, views of a larger array, and of memory that threads share. */
  async broadcast() {
    const bytes = new Uint8Array(9).fill(rank).subarray(2, 7);
    const floats = new Float32Array(new SharedArrayBuffer(40), 8, 6).fill(rank + 0.5);
    await Promise.all([collective.broadcast(bytes, size - 1), collective.broadcast(floats), collective.barrier()]);
    const { localRank, localSize, transport, host } = collective;
    const places = await textsOfRanks(collective, `${localRank}/${localSize}`);
    return { bytes: [...new Uint8Array(bytes.buffer)], floats: [...floats], places, transport, host };
  },

  /** Whether timers run while data is exchanged, and WebAssembly still ends in an error of JavaScript where it traps. */
  async loop() {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const late = new Promise((resolve) => setTimeout(resolve, rank === 0 ? 0 : 300));
    await late;
    await collective.barrier();
    clearInterval(timer);
    // (func (export "f") (result i32) i32.const 1048576 i32.load), with a memory of one page
    const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1];
    const code = [7, 5, 1, 1, 102, 0, 0, 10, 12, 1, 10, 0, 0x41, 0x80, 0x80, 0xc0, 0, 0x28, 2, 0, 0x0b];
    const { instance } = await WebAssembly.instantiate(Uint8Array.from([...head, ...code]));
    let trap = "";
    try {
      (instance.exports.f as () => number)();
    } catch (error) {
      trap = (error as Error).constructor.name;
    }
    return { ticks, trap };
  },

  /** One of the ranks is killed while the others wait for it. */
  async killed() {
    await collective.barrier();
    if (rank === 1) process.kill(process.pid, "SIGKILL");
    for (;;) await collective.allReduce(new Float32Array(10));
  },

  /** Until somebody ends it. */
  async forever() {
    for (;;) await collective.allReduce(new Float32Array(10));
  },

  /** One of the ranks ends all. */
  async aborted() {
    await collective.barrier();
    if (rank === 1) collective.abort(7);
    await collective.barrier();
  },
};

function hashOf(values: Float32Array): string {
  let hash = 17;
  for (const word of new Uint32Array(values.buffer, values.byteOffset, values.length))
    hash = (Math.imul(hash, 31) + word) | 0;
  return String(hash);
}

const found = await scenarios[process.argv[2]]();
if (rank === 0) console.log(JSON.stringify(found));
await collective.close();
