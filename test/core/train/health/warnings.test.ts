import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Finding, Monitor } from "../../../../core/interfaces/mod.ts";
import { Watchers } from "../../../../core/train/mod.ts";

const test = suite("core/train/health/warnings");

/** Finds what `values.x` says: 1 something, 2 something severe, 3 it throws. */
const monitor: Monitor = {
  name: "x",
  begin:
    () =>
    ({ values: { x } }): Finding | undefined => {
      if (x === 3) throw new Error("no");
      return x > 0 ? { message: "seen", advice: "do", severe: x === 2 } : undefined;
    },
};
const readings = (xs: readonly number[], stage = "s") =>
  xs.map((x, step) => ({ stage, step, steps: 100, values: { x } }));
const told = (watchers: Watchers, xs: readonly number[], stage?: string) =>
  readings(xs, stage).flatMap((reading) => {
    const { warnings, eased, faults } = watchers.take(reading);
    return [
      ...warnings.map(({ step, severe }) => `${severe ? "severe" : "warned"} ${step}`),
      ...eased.map(({ step, since }) => `eased ${step} since ${since}`),
      ...faults.map(({ message }) => message),
    ];
  });

test("a stretch is one warning, ends after three calm readings, and becomes severe once", () => {
  assert.equal(told(new Watchers([monitor]), [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1]), [
    "warned 1",
    "eased 8 since 1",
    "warned 10",
  ]);
  assert.equal(told(new Watchers([monitor]), [1, 2, 1, 2, 0, 0, 0]), ["warned 0", "severe 1", "eased 6 since 0"]);
});

test("every stage begins anew", () => {
  const watchers = new Watchers([monitor]);
  assert.equal(told(watchers, [1], "a"), ["warned 0"]);
  assert.equal(told(watchers, [1], "b"), ["warned 0"]);
});

test("a run that goes back, as after a loss of its device, is watched as if it had not gone on from there", () => {
  /** Warns of a value that is no more than those before it, as a monitor does that knows the past. */
  const falling: Monitor = {
    name: "x",
    begin() {
      let most = -Infinity;
      return ({ values: { x } }) => {
        const before = most;
        most = Math.max(most, x);
        return x <= before ? { message: "falls", advice: "do" } : undefined;
      };
    },
  };
  const whole = told(new Watchers([falling]), [1, 2, 3, 4, 0, 5]);
  assert.equal(whole, ["warned 4"]);
  for (const kept of [0, 1, 3]) {
    const watchers = new Watchers([falling]);
    assert.equal(told(watchers, [1, 2, 3, 4]), []);
    const rest = readings([1, 2, 3, 4, 0, 5]).slice(kept);
    assert.equal(
      rest.flatMap((reading) => watchers.take(reading).warnings.map(({ step }) => `warned ${step}`)),
      whole,
    );
  }
  // A stretch that was on goes on.
  const watchers = new Watchers([monitor]);
  assert.equal(told(watchers, [0, 1, 1]), ["warned 1"]);
  assert.equal(watchers.take(readings([0, 1, 1])[2]).warnings, []);
  // Also from a later stage.
  told(watchers, [0, 0], "b");
  assert.equal(watchers.take(readings([0, 0, 1])[2]).warnings, []);
});

test("a monitor that throws is named once and watches no longer; the others go on", () => {
  const other: Monitor = { ...monitor, name: "y", begin: () => () => ({ message: "always", advice: "do" }) };
  const said = told(new Watchers([monitor, other]), [0, 3, 3]);
  assert.is(said.length, 2);
  assert.is(said[0], "warned 0");
  assert.match(said[1], /^Cannot use monitor "x": its watch threw Error: no/);
});

test.run();
