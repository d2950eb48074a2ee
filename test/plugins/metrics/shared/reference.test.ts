import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reference } from "../../../../plugins/metrics/shared/reference.ts";

const test = suite("plugins/metrics/shared/reference");

/** A cache in memory. */
function memory() {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    cache: {
      read: async (name: string) => kept.get(name),
      write: async (name: string, bytes: Uint8Array) => void kept.set(name, bytes),
    },
  };
}

/** Four images of two features, and how often they were passed through the extractor. */
function scene(cache: ReturnType<typeof memory>["cache"] | undefined, identity: readonly unknown[] | undefined) {
  let passes = 0;
  const made = reference({
    cache,
    identity: async () => identity,
    async compute() {
      passes++;
      return { rows: { pool3: Float32Array.of(1, 2, 3, 5, 7, 11, 13, 17), spatial: new Float32Array(16) }, count: 4 };
    },
  });
  return { made, passes: () => passes };
}

test("features are computed once, whoever asks, and their moments are those of the rows", async () => {
  const { made, passes } = scene(undefined, ["a"]);
  const [rows, { mean, count }] = await Promise.all([made.rows("pool3"), made.statistics("pool3")]);
  assert.is(rows.D, 2);
  assert.equal([...mean], [6, 8.75]);
  assert.is(count, 4);
  assert.is((await made.rows("spatial")).D, 4);
  assert.is(passes(), 1);
});

test("the next evaluation of the same data, pixels and network finds them in the cache, to the bit", async () => {
  const { cache } = memory();
  const first = scene(cache, ["a"]);
  const before = [await first.made.statistics("pool3"), await first.made.rows("pool3")];
  const again = scene(cache, ["a"]);
  assert.equal([await again.made.statistics("pool3"), await again.made.rows("pool3")], before);
  assert.is(again.passes(), 0);
  await again.made.rows("spatial");
  assert.is(again.passes(), 1);
});

test("other data, pixels or network are other features; data that can't tell what they are keep nothing", async () => {
  const { cache, kept } = memory();
  await scene(cache, ["a"]).made.statistics("pool3");
  const other = scene(cache, ["b"]);
  await other.made.statistics("pool3");
  assert.is(other.passes(), 1);
  const before = kept.size;
  const unknown = scene(cache, undefined);
  await unknown.made.statistics("pool3");
  assert.is(unknown.passes(), 1);
  assert.is(kept.size, before);
});

test("a file of the cache that is not what it should be is made again", async () => {
  const { cache, kept } = memory();
  const first = await scene(cache, ["a"]).made.statistics("pool3");
  for (const [name, bytes] of kept) kept.set(name, bytes.subarray(0, bytes.length - 8));
  const again = scene(cache, ["a"]);
  assert.equal(await again.made.statistics("pool3"), first);
  assert.is(again.passes(), 1);
});

test.run();
