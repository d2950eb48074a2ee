import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Clock, Pace } from "../../../backends/webgpu/pace.ts";
import { program } from "../../../core/graph/mod.ts";
import { add, state } from "../../../core/ops/mod.ts";
import { closeTestBackends, testBackend } from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/pace");
test.after(closeTestBackends);

/** A clock that only moves when it is waited for: a turn takes 0.05 ms. */
function fakeClock() {
  let now = 0;
  const counts = { turns: 0, sleeps: 0, longest: 0 };
  const clock: Clock = {
    now: () => now,
    async turn() {
      counts.turns++;
      now += 0.05;
    },
    async sleep(ms) {
      counts.sleeps++;
      counts.longest = Math.max(counts.longest, ms);
      now += ms;
    },
  };
  return { clock, counts, now: () => now };
}

/** A buffer that the device is done with after `ms`: an open map is answered then, and taken back by `unmap`. */
function buffer(time: () => number, ms: number) {
  let abort: ((error: Error) => void) | undefined;
  const self = {
    open: 0,
    mostOpen: 0,
    mapped: false,
    async mapAsync() {
      if (time() >= ms) {
        self.mapped = true;
        return;
      }
      self.mostOpen = Math.max(self.mostOpen, ++self.open);
      await new Promise((_, reject) => (abort = reject)).finally(() => self.open--);
    },
    unmap() {
      self.mapped = false;
      abort?.(new Error("AbortError"));
    },
  };
  return self as typeof self & Pick<GPUBuffer, "mapAsync" | "unmap">;
}

test("the end of work is noticed at most a thirtieth, or a millisecond, too late", async () => {
  for (const ms of [0.1, 0.4, 1, 3, 20, 90, 700, 5000]) {
    const { clock, now } = fakeClock();
    const work = buffer(now, ms);
    await new Pace(clock).mapped(work, 16);
    assert.ok(work.mapped);
    const late = now() - ms;
    assert.ok(late >= 0 && late <= Math.max(1.5, Math.min(ms / 30, 8.5)), `${ms} ms: ${late} late`);
  }
});

test("long waits are slept, short ones are not", async () => {
  const long = fakeClock();
  await new Pace(long.clock).mapped(buffer(long.now, 5000), 16);
  // A turn is where a core would be taken from the device.
  assert.ok(long.counts.turns * 0.05 < 0.03 * 5000, `${long.counts.turns} turns`);
  assert.ok(long.counts.longest <= 8);
  const short = fakeClock();
  await new Pace(short.clock).mapped(buffer(short.now, 0.3), 16);
  assert.is(short.counts.sleeps, 0);
});

test("no map is left open while it sleeps", async () => {
  const { clock, now } = fakeClock();
  const work = buffer(now, 50);
  const open: number[] = [];
  const sleep = (ms: number) => {
    open.push(work.open);
    return clock.sleep(ms);
  };
  await new Pace({ ...clock, sleep }).mapped(work, 16);
  assert.ok(open.length > 10);
  assert.ok(open.every((count) => count === 0));
  assert.is(work.mostOpen, 1);
});

test("a map that the device refuses is an error, not a wait without end", async () => {
  const { clock } = fakeClock();
  const lost = {
    mapAsync: () => Promise.reject(new Error("the device is lost")),
    unmap: () => undefined,
  };
  const error = await new Pace(clock).mapped(lost, 16).catch((reason: Error) => reason.message);
  assert.is(error, "the device is lost");
});

test("real time: a run is over when finish says so, and fences go round", async () => {
  const backend = await testBackend();
  const memory = backend.createMemory();
  memory.allocate("count", 64);
  const count = state("count", [64]);
  const step = program({ name: "count", updates: [[count, add(count, 1)]] });
  const executable = await backend.compile(step, memory);
  let before = 0;
  for (let i = 1; i <= 20; i++) {
    await executable.run();
    await backend.finish();
    assert.is((await memory.read("count"))[0], i);
    if (i === 5) before = backend.liveBytes;
  }
  assert.is(backend.liveBytes, before);
  executable.dispose();
  memory.dispose();
});

test.run();
