import { suite } from "uvu";
import * as assert from "uvu/assert";
import { xxh32 } from "../../../core/io/xxh32.ts";
import { hostRandom, sampleNoise } from "../../../core/random/hostRandom.ts";
import { portableCos, portableLog, portableSin } from "../../../core/random/portable.ts";

const test = suite("core/random/portable");

/** Two units in the last place, for this engine's own function is not exact either. */
const near = (found: number, expected: number, what: string) =>
  assert.ok(Math.abs(found - expected) <= Math.abs(expected) * 2 ** -51, `${what} is ${found}, Math has ${expected}`);

test("log, sin and cos agree with those of the engine", () => {
  const random = hostRandom(0, 0, 0);
  for (let i = 0; i < 20_000; i++) {
    const angle = 2 * Math.PI * random();
    near(portableSin(angle), Math.sin(angle), `sin ${angle}`);
    near(portableCos(angle), Math.cos(angle), `cos ${angle}`);
    const share = 1 - random();
    near(portableLog(share), Math.log(share), `log ${share}`);
  }
  for (const x of [2 ** -1000, 2 ** -24, 1e-3, 0.7, 0.71, 1.5, 3, 1e9, 2 ** 1000])
    near(portableLog(x), Math.log(x), `log ${x}`);
  for (const x of [-7, -1e-9, 1e-9, 100, 12345.678, -65536]) {
    near(portableSin(x), Math.sin(x), `sin ${x}`);
    near(portableCos(x), Math.cos(x), `cos ${x}`);
  }
});

test("log, sin and cos at the ends of what is drawn", () => {
  assert.is(portableLog(1), 0);
  assert.is(portableSin(0), 0);
  assert.is(portableCos(0), 1);
  for (const quarters of [1, 2, 3, 4]) {
    const angle = quarters * (Math.PI / 2);
    near(portableSin(angle), Math.sin(angle), `sin of ${quarters} quarters`);
    near(portableCos(angle), Math.cos(angle), `cos of ${quarters} quarters`);
  }
});

// The suites run on Node 20, Node 24 and Deno: whatever engine this is, its bits are those of the others.
test("the same bits on every engine", () => {
  const random = hostRandom(0, 0, 1);
  const exact = Float64Array.from({ length: 30_000 }, (_, i) => {
    const u = random();
    return i % 3 === 0 ? portableLog(1 - u) : (i % 3 === 1 ? portableSin : portableCos)(2 * Math.PI * u);
  });
  const noise = new Float32Array(30_000);
  sampleNoise(noise, { seed: 7, draw: 0, first: 0, size: 100 });
  const hashes = [exact, noise].map(({ buffer }) => xxh32(new Uint8Array(buffer)).toString(16));
  assert.equal(hashes, ["2163d4b0", "105c892c"]);
});

test.run();
