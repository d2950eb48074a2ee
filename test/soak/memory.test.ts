// What `node build.mjs soak memory` calls flat.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { judgeMemory, type MemorySample } from "./memoryJudge.ts";

const test = suite("soak/memory");
const MIB = 2 ** 20;

/** 200 samples; `change` is laid over a run that wobbles and is flat. */
const samples = (change: (i: number) => Partial<MemorySample> = () => ({})): MemorySample[] =>
  Array.from({ length: 200 }, (_, i) => ({
    stage: "distillation",
    step: i,
    seconds: i,
    device: 8 * MIB,
    rss: (140 + Math.sin(7 * i)) * MIB,
    heap: (15 + 0.2 * Math.sin(5 * i)) * MIB,
    external: (i % 9 ? 2 : 8) * MIB,
    arrayBuffers: MIB,
    descriptors: i % 5 ? 24 : 26,
    ...change(i),
  }));
const growing = (given: readonly MemorySample[]) =>
  judgeMemory(given)
    .filter(({ flat }) => !flat)
    .map(({ name }) => name);

test("a run that wobbles is flat, whatever it did while it warmed up", () => {
  assert.equal(growing(samples()), []);
  assert.equal(growing(samples((i) => (i < 40 ? { device: i, heap: i, rss: 400 * MIB, descriptors: 3 } : {}))), []);
  assert.equal(growing([...samples(() => ({ stage: "teacher", device: 5 })), ...samples()]), []);
});

test("a leak of each kind is seen", () => {
  assert.equal(growing(samples((i) => ({ device: 8 * MIB + (i === 150 ? 4 : 0) }))), ["device"]);
  assert.equal(growing(samples((i) => ({ heap: 15 * MIB + 0.01 * MIB * i }))), ["heap"]);
  assert.equal(growing(samples((i) => ({ rss: 140 * MIB + 0.1 * MIB * i + (i % 11 ? 0 : 30 * MIB) }))), ["rss"]);
  assert.equal(growing(samples((i) => ({ rss: 1000 * MIB + 0.2 * MIB * i }))), ["rss"]);
  assert.equal(growing(samples((i) => ({ descriptors: 24 + Math.floor(i / 100) }))), ["descriptors"]);
  assert.throws(() => judgeMemory(samples().slice(0, 40)), /too few/);
});

test.run();
