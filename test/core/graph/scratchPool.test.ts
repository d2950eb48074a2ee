import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ScratchPool } from "../../../core/graph/mod.ts";

const test = suite("core/graph/scratchPool");

interface Made {
  readonly bytes: number;
}
function makePool(most = Number.POSITIVE_INFINITY) {
  const live = new Set<Made>();
  const pool = new ScratchPool<Made>(
    (bytes) => {
      if (bytes > most) throw new Error(`no ${bytes} bytes`);
      const made = { bytes };
      live.add(made);
      return made;
    },
    (made) => void live.delete(made),
  );
  return { pool, live };
}

test("a smaller program uses the buffers of a larger one", () => {
  const { pool, live } = makePool();
  const large = pool.take([10, 300, 40]);
  assert.equal(
    large.map(({ bytes }) => bytes),
    [10, 300, 40],
  );
  const small = pool.take([30, 35]);
  // The larger of the two picks first, and takes the smallest that is large enough.
  assert.equal(small, [large[1], large[2]]);
  assert.is(pool.bytes, 350);
  pool.release(large);
  assert.equal(
    [...live].map(({ bytes }) => bytes),
    [300, 40],
  );
  pool.release(small);
  assert.is(live.size, 0);
  assert.is(pool.bytes, 0);
});

test("the buffers of one program are all different", () => {
  const { pool } = makePool();
  pool.take([100, 100]);
  const taken = pool.take([50, 100, 100, 60]);
  assert.is(new Set(taken).size, 4);
  assert.is(pool.bytes, 100 + 100 + 60 + 50);
});

test("where one can't be made, none is kept", () => {
  const { pool, live } = makePool(200);
  const first = pool.take([150]);
  assert.throws(() => pool.take([160, 150, 201, 20]), /no 201 bytes/);
  assert.equal([...live], first);
  assert.is(pool.bytes, 150);
});

test.run();
