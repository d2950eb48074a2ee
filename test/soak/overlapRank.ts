// What each rank of `soak overlap` does: the same updates with their sums sent meanwhile, sent afterwards, and not sent, in turns.
import { openCollective } from "../../backends/mpi/mod.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { type Collective, DATASET, type Stage } from "../../core/interfaces/mod.ts";
import { composeRun, EventBus, Ranks, Trainer } from "../../core/train/mod.ts";
import { measureLink } from "../../examples/cli/plan/scaling.ts";
import { tinyConfig } from "../core/train/support.ts";

const [width, depth, batch, turns, order, stretch] = process.argv.slice(2);
const collective = await openCollective();
const parts = collective.size;
const over = {
  network: { width: Number(width), depth: Number(depth) },
  method: { teacher: { steps: 1, batch: Number(batch) } },
  train: { steps: 1, batch: Number(batch), accumulate: parts },
};
const resolved = tinyConfig(over);
const backend = await WasmBackend.open({ threads: 1 });

/** Numbers that all steps have sent, when the last part was computed, and when the last sum was done. */
let [sent, computed, summed] = [0, 0, 0];
const counted: Collective = new Proxy(collective, {
  get(target, name) {
    if (name === "allReduce")
      return (values: Float32Array, options: object) => {
        sent += values.length;
        return target.allReduce(values, options).then(() => {
          summed = performance.now();
        });
      };
    const value = Reflect.get(target, name);
    return typeof value === "function" ? value.bind(target) : value;
  },
});
/** Ranks that do not wait for each other: what they compute is wrong, and takes as long. */
const silent: Collective = new Proxy(counted, {
  get: (target, name) => (name === "allReduce" ? async () => {} : Reflect.get(target, name)),
});

const compile = backend.compile.bind(backend);
backend.compile = async (program, memory) => {
  const executable = await compile(program, memory);
  const run = executable.run.bind(executable);
  if (program.name.endsWith(" part"))
    executable.run = (inputs, onState) =>
      run(inputs, onState).then(() => {
        computed = performance.now();
      });
  return executable;
};

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
  meanwhile: await trainer(ranksOf(counted, Number(stretch))),
  afterwards: await trainer(ranksOf(counted, Number.POSITIVE_INFINITY)),
  alone: await trainer(ranksOf(silent)),
  one: await trainer(new Ranks()),
};
const link = await measureLink(collective, order === "library" ? "library" : "fixed");

const times: Record<string, number[]> = { meanwhile: [], afterwards: [], alone: [], part: [], one: [], sum: [] };
/** How long this rank has waited for sums when its part was computed. */
const waits: Record<string, number[]> = { meanwhile: [], afterwards: [] };
const values = new Float32Array(ways.alone.trainer.players.teacher.layout.count);
for (let turn = 0; turn <= Number(turns); turn++) {
  const note = async (way: string, work: () => Promise<unknown>) => {
    await collective.barrier();
    const began = performance.now();
    await work();
    // A step has ended when it has on all ranks.
    await collective.barrier();
    if (turn === 0) return; // it allocates
    times[way].push(performance.now() - began);
    if (way === "alone") times.part.push(computed - began);
  };
  for (const [way, { trainer, stage }] of Object.entries(ways)) {
    await note(way, () => trainer.train(stage));
    if (turn > 0) waits[way]?.push(summed - computed);
  }
  await note("sum", () => collective.allReduce(values, { order: order === "library" ? "library" : "fixed" }));
}
// The rank that is late waits for the network alone, the others for it as well.
const all = new Float32Array(collective.size * 2 * Number(turns));
all.set(Object.values(waits).flat(), collective.rank * 2 * Number(turns));
await collective.allGather(all);
const waited = Array.from({ length: 2 * Number(turns) }, (_, i) =>
  Math.min(...Array.from({ length: collective.size }, (_, rank) => all[rank * 2 * Number(turns) + i])),
);
const exposed = { meanwhile: waited.slice(0, Number(turns)), afterwards: waited.slice(Number(turns)) };
if (collective.rank === 0)
  console.log(
    JSON.stringify({ times, exposed, link, parameters: values.length, sent: sent / (2 * (Number(turns) + 1)) }),
  );
await collective.close();
await backend.close();
