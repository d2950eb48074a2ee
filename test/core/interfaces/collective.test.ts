import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Container } from "../../../core/di/mod.ts";
import {
  COLLECTIVE,
  collectiveOf,
  evenBounds,
  localCollective,
  textsOfRanks,
} from "../../../core/interfaces/collective.ts";
import { onRanks, ranksInOneProcess } from "../../helpers/ranksInOneProcess.ts";

const test = suite("core/interfaces/collective");

test("evenBounds: shares follow each other and differ by one at most", () => {
  assert.equal(evenBounds(10, 4), [0, 2, 5, 7, 10]);
  assert.equal(evenBounds(2, 4), [0, 0, 1, 1, 2]);
  assert.equal(evenBounds(0, 3), [0, 0, 0, 0]);
});

test("collectiveOf: one process, unless the container has another", async () => {
  const alone = collectiveOf(new Container());
  assert.is(alone, localCollective);
  const values = Float32Array.of(1, 2);
  await alone.allReduce(values);
  await alone.allGather(values);
  assert.equal([...values], [1, 2]);
  const [first] = ranksInOneProcess(2);
  assert.is(collectiveOf(new Container().value(COLLECTIVE, first)), first);
});

// Numbers whose sum in float32 depends on the order.
const parts = [1, 2 ** -24, 2 ** -24, 2 ** -24];

test("allReduce: adds in rank order, and in another one where the order is the library's", async () => {
  const sums = (order?: "fixed" | "library") =>
    onRanks(4, async (collective) => {
      const values = Float32Array.of(parts[collective.rank]);
      await collective.allReduce(values, { order });
      return values[0];
    });
  assert.equal(await sums(), [1, 1, 1, 1]);
  assert.equal(await sums("library"), new Array(4).fill(1 + 2 ** -22));
});

test("reduceScatter and allGather: shares, even or given; both together are allReduce", async () => {
  for (const bounds of [undefined, [0, 0, 5, 7]]) {
    const results = await onRanks(3, async (collective) => {
      const values = Float32Array.from({ length: 7 }, (_, i) => i + 10 * collective.rank);
      const whole = values.slice();
      // Begun one after the other, without waiting.
      const scattered = collective.reduceScatter(values, { bounds });
      const gathered = collective.allGather(values, { bounds });
      const reduced = collective.allReduce(whole);
      await Promise.all([scattered, gathered, reduced]);
      assert.equal(values, whole);
      return [...values];
    });
    for (const result of results) assert.equal(result, [30, 33, 36, 39, 42, 45, 48]);
  }
});

test("broadcast: floats and bytes of any rank", async () => {
  const results = await onRanks(3, async (collective) => {
    const floats = new Float32Array(2).fill(collective.rank + 0.5);
    const bytes = new Uint8Array(3).fill(collective.rank);
    await Promise.all([collective.broadcast(floats), collective.broadcast(bytes, 2)]);
    return [...floats, ...bytes];
  });
  for (const result of results) assert.equal(result, [0.5, 0.5, 2, 2, 2]);
});

test("barrier: nobody goes on before the last has come", async () => {
  const [first, second] = ranksInOneProcess(2);
  let through = false;
  const waiting = first.barrier().then(() => (through = true));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.is(through, false);
  await second.barrier();
  await waiting;
  assert.is(through, true);
});

test("textsOfRanks: texts of any length in rank order", async () => {
  const said = ["eins", "", "drei: ∇ ≤ 3"];
  const heard = await onRanks(3, (collective) => textsOfRanks(collective, said[collective.rank]));
  for (const texts of heard) assert.equal(texts, said);
  assert.equal(await textsOfRanks(localCollective, "alone"), ["alone"]);
});

test("ranks in one process: all hear of it when they do not begin the same", async () => {
  const [first, second] = ranksInOneProcess(2);
  const both = [first.allReduce(new Float32Array(2)), second.allReduce(new Float32Array(3))];
  for (const each of await Promise.allSettled(both)) {
    assert.is(each.status, "rejected");
    assert.match(String((each as PromiseRejectedResult).reason), /ranks disagree/);
  }
});

test.run();
