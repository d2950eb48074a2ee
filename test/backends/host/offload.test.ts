import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type OffloadOptions, offloading, type WorkerTask } from "../../../backends/host/offload.ts";
import type { startWorker, WorkerEvents } from "../../../backends/host/worker.ts";
import type { Portable } from "../../../core/interfaces/mod.ts";
import { bundle, run } from "../webgpu/adapter/child.ts";

const test = suite("backends/host/offload");

/** Sines of the first `count` numbers; refuses none. */
const sines = async (count: number) => {
  if (count === 0) throw new RangeError("Cannot take 0 sines: should be at least one");
  return { values: Float32Array.from({ length: count }, (_, i) => Math.sin(i)) };
};

/** A task, and what it has told. */
function offloaded<A, R extends object>(work: Portable<A, R>, options: OffloadOptions = {}) {
  const told: string[] = [];
  const task = offloading({ tell: (why) => told.push(why), ...options })(work) as WorkerTask<A, R>;
  return { task, told };
}

const tick = (ms = 2) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `attempt` until the worker has answered one more, for ten seconds at most. */
async function untilElsewhere(task: { readonly elsewhere: number }, attempt: () => Promise<unknown>) {
  const before = task.elsewhere;
  for (let i = 0; i < 5000 && task.elsewhere === before; i++) {
    await attempt();
    await tick();
  }
  assert.ok(task.elsewhere > before, "the worker never answered");
}

/** Ways to start a worker that a test drives by hand. */
function driven() {
  let events: Partial<WorkerEvents> = {};
  const posted: { id: number; argument: number }[] = [];
  const log: string[] = [];
  const start: typeof startWorker = (_, given) => {
    events = given!;
    return {
      post: (message) => void posted.push(message as (typeof posted)[0]),
      hold: (held) => void log.push(held ? "hold" : "let go"),
      stop: async () => void log.push("stop"),
    };
  };
  return {
    start,
    posted,
    log,
    reply: (data: unknown) => events.message!(data),
    fail: (why: string) => events.failed!(why),
  };
}

test("a worker makes the same bits, however many runs are open", async () => {
  const { task, told } = offloaded(sines);
  await untilElsewhere(task, () => task.run(3));
  const counts = Array.from({ length: 20 }, (_, i) => 1000 + i);
  const results = await Promise.all(counts.map((count) => task.run(count)));
  for (const [i, count] of counts.entries()) assert.equal(results[i], await sines(count));
  assert.ok(task.elsewhere > 20);
  assert.equal(told, []);
  await task.dispose();
});

test("an error is the function's own, and the worker goes on", async () => {
  const { task, told } = offloaded(sines);
  await untilElsewhere(task, () => task.run(1));
  const error = await task.run(0).catch((reason) => reason);
  assert.instance(error, RangeError);
  assert.is(error.message, "Cannot take 0 sines: should be at least one");
  await untilElsewhere(task, () => task.run(1));
  assert.equal(told, []);
  await task.dispose();
});

test("without workers the calling thread does it, and says so once for all functions", async () => {
  const told: string[] = [];
  const start = () => {
    throw new Error("there are none");
  };
  const offload = offloading({ tell: (why) => told.push(why), start });
  for (const task of [offload(sines), offload(sines)]) assert.equal(await task.run(4), await sines(4));
  assert.equal(told, ["Cannot use a worker, the calling thread does its work: there are none"]);
});

test("a worker that never reports keeps nobody waiting", async () => {
  const { start, posted } = driven();
  const { task, told } = offloaded(sines, { start });
  assert.equal(await task.run(4), await sines(4));
  assert.equal([posted.length, told.length, task.elsewhere], [0, 0, 0]);
});

test("what a worker leaves open when it fails is done here, and all that follows", async () => {
  const { start, posted, fail, reply, log } = driven();
  const { task, told } = offloaded(sines, { start });
  reply("ready");
  const open = [task.run(4), task.run(5)];
  assert.is(posted.length, 2);
  fail("it ran out of memory");
  fail("it ended with code 1");
  assert.equal(await Promise.all(open), [await sines(4), await sines(5)]);
  assert.equal(await task.run(6), await sines(6));
  assert.equal([posted.length, told.length, task.elsewhere], [2, 1, 0]);
  assert.match(told[0], /it ran out of memory$/);
  assert.is(log.at(-1), "stop");
});

test("the process waits for open runs, and for nothing else", async () => {
  const { start, posted, reply, log } = driven();
  const { task } = offloaded(sines, { start });
  reply("ready");
  const open = [task.run(1), task.run(2)];
  for (const { id } of posted) reply({ id, value: { values: new Float32Array(1) } });
  await Promise.all(open);
  assert.equal(log, ["hold", "hold", "let go"]);
});

test("dispose ends the worker and the runs that are open", async () => {
  const { start, reply, log } = driven();
  const { task, told } = offloaded(sines, { start });
  reply("ready");
  const open = task.run(4).catch((reason) => reason.code);
  await task.dispose();
  await task.dispose();
  assert.is(await open, "E_DISPOSED");
  assert.is(await task.run(4).catch((reason) => reason.code), "E_DISPOSED");
  assert.equal(log, ["hold", "stop"]);
  assert.equal(told, []);
});

const beginning = `
import { offloading } from "./host/offload.ts";
const task = offloading({ tell: (why) => console.log(why) })(async (n) => ({ n: n + 1 }));
while (task.elsewhere === 0) {
  await task.run(1);
  await new Promise((resolve) => setTimeout(resolve, 2));
}
`;
const endings: Record<string, { source: string; code: number; output?: RegExp }> = {
  "returns without dispose": { source: "", code: 0 },
  "returns while a worker starts": { source: "offloading()(async (n) => ({ n }));", code: 0 },
  "returns after dispose": { source: "await task.dispose();", code: 0 },
  "waits for a run": {
    source: "console.log(String((await task.run(6)).n));",
    code: 0,
    output: /^7\n$/,
  },
  "leaves a run open": { source: "void task.run(6);", code: 0 },
  throws: { source: "void task.run(6); throw new Error('on purpose');", code: 1 },
};
for (const [name, { source, code, output }] of Object.entries(endings))
  test(`a program that ${name} ends by itself with code ${code}`, async () => {
    const ended = await run(process.execPath, [await bundle(beginning + source)]);
    assert.is(ended.signal, null, ended.stderr);
    assert.is(ended.code, code, ended.stderr);
    if (output) assert.match(ended.stdout, output);
  });

test("where Node may not start workers, it says so and works", async () => {
  const source = `
    import { offloading } from "./host/offload.ts";
    const task = offloading({ tell: (why) => console.log(why) })(async (n) => ({ n: n + 1 }));
    console.log(String((await task.run(6)).n), String(task.elsewhere));
  `;
  const flag = Number(process.versions.node.split(".")[0]) < 24 ? "--experimental-permission" : "--permission";
  const ended = await run(process.execPath, [flag, "--allow-fs-read=*", await bundle(source)]);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^Cannot use a worker, the calling thread does its work: .+\n7 0\n$/);
});

test.run();
