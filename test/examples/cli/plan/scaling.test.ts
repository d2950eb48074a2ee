import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Link,
  ladder,
  measureLink,
  readLink,
  readRanks,
  type SharedStep,
  scaledStep,
  sumSeconds,
} from "../../../../examples/cli/plan/scaling.ts";
import { onRanks } from "../../../helpers/ranksInOneProcess.ts";
import { thrown } from "../../../helpers/thrown.ts";

const test = suite("examples/cli/plan scaling");

/** A gigabyte a second, a millisecond a message. */
const link: Link = { latency: 1e-3, speed: 1e9 };
const step: SharedStep = { batch: 16, parts: 8, computing: 8, applying: 0.5, sums: 2, bytes: 2e9 };
const near = (found: number, expected: number) => assert.ok(Math.abs(found - expected) < 1e-9, `${found}, ${expected}`);

test("sumSeconds: every rank sends and receives 2 (N - 1) / N of the bytes, in messages by the order", () => {
  assert.is(sumSeconds(1e9, 1, link, "fixed"), 0);
  near(sumSeconds(1e9, 2, link, "fixed"), 1.002);
  near(sumSeconds(1e9, 4, link, "fixed"), 1.5 + 0.006);
  near(sumSeconds(1e9, 4, link, "library"), 1.5 + 0.004);
  near(sumSeconds(1e9, 1024, link, "library"), (2 * 1023) / 1024 + 0.02);
});

test("scaledStep: parts are divided, and a rank sends each in the fixed order, their sum in the library's", () => {
  assert.equal(scaledStep(step, 1, link, "fixed"), { ranks: 1, samples: 16, computing: 8.5, sending: 0, total: 8.5 });
  const fixed = scaledStep(step, 2, link, "fixed");
  near(fixed.computing, 4.5);
  near(fixed.sending, 4 * 2 * 1.002);
  near(scaledStep(step, 2, link, "library").sending, 2 * 1.002);
  // Three ranks of eight parts: two have three.
  near(scaledStep(step, 3, link, "fixed").computing, 3.5);
  assert.is(scaledStep(step, 3, link, "fixed").samples, 6);
  // More ranks than parts have a part of the batch each.
  near(scaledStep(step, 16, link, "library").computing, 1);
  assert.is(scaledStep(step, 16, link, "library").samples, 1);
});

test("ladder: powers of four, and the last", () => {
  assert.equal(ladder(1), [1]);
  assert.equal(ladder(64), [1, 4, 16, 64]);
  assert.equal(ladder(1000), [1, 4, 16, 64, 256, 1000]);
});

test("measureLink: the time of a message, and of a byte", async () => {
  for (const found of await onRanks(2, (collective) => measureLink(collective, "fixed"))) {
    assert.ok(found.latency > 0 && found.latency < 1, `${found.latency} s`);
    assert.ok(found.speed > 1e6, `${found.speed} bytes a second`);
  }
});

test("readLink and readRanks: a speed and a number, or a line that says which", () => {
  assert.is(readLink("25gbit").speed, 25e9 / 8);
  assert.is(readLink("500mbit").speed, 5e8 / 8);
  assert.is(readRanks("64"), 64);
  for (const wrong of ["fast", "0gbit", "25"])
    assert.match(thrown(() => readLink(wrong)).message, /--link is "[^"]*", expected a speed such as 25gbit/);
  for (const wrong of ["0", "1.5", "many"])
    assert.match(thrown(() => readRanks(wrong)).message, /--ranks is "[^"]*", expected a whole number/);
});

test.run();
