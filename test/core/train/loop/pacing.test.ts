import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Stage, Turn } from "../../../../core/interfaces/mod.ts";
import { Pacing } from "../../../../core/train/loop/pacing.ts";

const test = suite("core/train/loop/pacing");

const waits = { role: "critic", loss: "score", above: 0.1, least: 2, most: 5 };
const turn: Turn = { role: "generator", waits };
const stage: Pick<Stage, "cycle"> = { cycle: [[turn, { role: "critic" }]] };
const shown = (value: number) => ({ score: { read: async () => value } });

/** In which of the steps the turn is taken, where the other role's loss has these values. */
async function taken(values: readonly number[], pacing = new Pacing(stage)) {
  const steps: number[] = [];
  for (const [step, value] of values.entries()) {
    if (pacing.takes({ turn, step, place: 0 })) steps.push(step);
    await pacing.saw("critic", shown(value));
  }
  return steps;
}

test("a role that follows is waited for as little as may be, one that does not as long", async () => {
  assert.equal(await taken(new Array(9).fill(1)), [2, 4, 6, 8]);
  // Grows in every step: its mean is soon far above its least.
  const growing = Array.from({ length: 16 }, (_, i) => 1.3 ** i);
  assert.equal(await taken(growing), [2, 7, 12]);
});

test("after a jump it waits until the mean has come back", async () => {
  const values = [...new Array(6).fill(1), ...new Array(2).fill(4), ...new Array(30).fill(1)];
  const steps = await taken(values);
  assert.equal(steps.slice(0, 3), [2, 4, 6]);
  assert.is(steps[3], 11, "the most that it waits");
  assert.equal(
    steps.slice(-3),
    [33, 35, 37].map((step) => step + (steps[steps.length - 1] - 37)),
  );
});

test("its state goes through JSON and goes on alike; values that are no numbers are updates alone", async () => {
  const values = Array.from({ length: 40 }, (_, i) => (i === 7 ? Number.NaN : 1 + 0.3 * Math.sin(i)));
  const whole = await taken(values);
  const first = new Pacing(stage);
  const steps = await taken(values.slice(0, 17), first);
  const second = new Pacing(stage, JSON.parse(JSON.stringify(first.state)));
  const rest = await taken(values.slice(17), second);
  assert.equal([...steps, ...rest.map((step) => step + 17)], whole);
});

test("turns that wait for nobody are taken, and other roles' values change nothing", async () => {
  const pacing = new Pacing(stage);
  assert.ok(pacing.takes({ turn: { role: "critic" }, step: 0, place: 1 }));
  await pacing.saw("generator", shown(0));
  assert.equal(pacing.state, { "generator for critic/score": { since: 0 } });
});

test("before a turn that was taken it is as if it had not been, for a run that goes on there", async () => {
  const pacing = new Pacing(stage);
  assert.equal(await taken(new Array(3).fill(1), pacing), [2]);
  const again = new Pacing(stage, pacing.before({ step: 2, place: 0 }));
  assert.ok(again.takes({ turn, step: 2, place: 0 }));
  assert.equal(pacing.before({ step: 3, place: 0 }), pacing.state, "that of a turn to come is the present one");
});

test("turns that are alike count an update once, and each role waits for itself", async () => {
  const other: Turn = { ...turn, role: "other" };
  const pacing = new Pacing({ cycle: [[turn, { role: "critic" }, turn, other]] });
  await pacing.saw("critic", shown(1));
  assert.not(pacing.takes({ turn, step: 0, place: 2 }), "one update of two");
  await pacing.saw("critic", shown(1));
  assert.ok(pacing.takes({ turn, step: 1, place: 2 }));
  assert.ok(pacing.takes({ turn: other, step: 1, place: 3 }));
});

test.run();
