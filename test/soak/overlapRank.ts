// What each rank of `soak overlap` does: the same updates with their sums sent meanwhile, sent afterwards, and not sent, in turns.
import { openCollective } from "../../backends/mpi/mod.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { type Collective, DATASET, type Stage } from "../../core/interfaces/mod.ts";
import { composeRun, EventBus, Ranks, Trainer } from "../../core/train/mod.ts";
import { tinyConfig } from "../core/train/support.ts";

const [width, depth, batch, turns, order] = process.argv.slice(2);
const collective = await openCollective();
const parts = collective.size;
const over = {
  network: { width: Number(width), depth: Number(depth) },
  method: { teacher: { steps: 1, batch: Number(batch) } },
  train: { steps: 1, batch: Number(batch), accumulate: parts },
};
const resolved = tinyConfig(over);
const backend = await WasmBackend.open({ threads: 1 });

/** Numbers that a step sends. */
let sent = 0;
const counted: Collective = new Proxy(collective, {
  get(target, name) {
    if (name === "allReduce")
      return (values: Float32Array, options: object) => {
        sent += values.length;
        return target.allReduce(values, options);
      };
    const value = Reflect.get(target, name);
    return typeof value === "function" ? value.bind(target) : value;
  },
});
/** Ranks that do not wait for each other: what they compute is wrong, and takes as long. */
const silent: Collective = new Proxy(counted, {
  get: (target, name) => (name === "allReduce" ? async () => {} : Reflect.get(target, name)),
});

/** A trainer that is ready, and its first stage: one update a step, of a network that denoises. */
async function trainer(ranks: Ranks): Promise<{ trainer: Trainer; stage: Stage }> {
  const container = await composeRun(resolved, backend, {});
  const made = new Trainer(container, backend, container.get(DATASET), new EventBus(), resolved.settings, { ranks });
  const [stage] = made.method.stages;
  await made.begin(stage);
  await made.prepare(stage);
  return { trainer: made, stage };
}

const ranksOf = (each: Collective, bucket?: number) => {
  const ranks = new Ranks(each, order === "library" ? "library" : "fixed");
  if (bucket !== undefined) ranks.bucket = bucket;
  return ranks;
};
const ways = {
  meanwhile: await trainer(ranksOf(counted)),
  afterwards: await trainer(ranksOf(counted, Number.POSITIVE_INFINITY)),
  alone: await trainer(ranksOf(silent)),
};

const times: Record<string, number[]> = { meanwhile: [], afterwards: [], alone: [], sum: [] };
const values = new Float32Array(ways.alone.trainer.players.teacher.layout.count);
for (let turn = 0; turn <= Number(turns); turn++) {
  const note = async (way: string, work: () => Promise<unknown>) => {
    await collective.barrier();
    const began = performance.now();
    await work();
    // A step has ended when it has on all ranks.
    await collective.barrier();
    if (turn > 0) times[way].push(performance.now() - began); // the first one allocates
  };
  for (const [way, { trainer, stage }] of Object.entries(ways)) await note(way, () => trainer.train(stage));
  await note("sum", () => collective.allReduce(values, { order: order === "library" ? "library" : "fixed" }));
}
if (collective.rank === 0)
  console.log(JSON.stringify({ times, parameters: values.length, sent: sent / (2 * (Number(turns) + 1)) }));
await collective.close();
await backend.close();
