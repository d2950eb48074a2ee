import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Control } from "../../../../core/train/loop/control.ts";
import { thrown } from "../../../helpers/thrown.ts";

const test = suite("core/train/control");

test("commands: a typed stream of what arrives", () => {
  const control = new Control();
  const types: string[] = [];
  control.commands.subscribe((command) => types.push(command.type));
  control.pause();
  control.resume();
  control.checkpoint();
  control.setWeight("gan", 0);
  void control.stop();
  assert.equal(types, ["pause", "resume", "checkpoint", "set-weight", "stop"]);
});

test("setWeight: refuses what is no weight", () => {
  for (const weight of [-1, Number.NaN, Infinity, "1" as unknown as number]) {
    const error = thrown(() => new Control().setWeight("gan", weight));
    assert.is(error.code, "E_OPTION");
    assert.is(
      error.message,
      `Cannot set the weight of gan: it must be a number in [0, inf), current value is ${weight}`,
    );
  }
});

test("take: hands out each command once, scripted ones when their step has come", () => {
  const control = new Control([
    { step: 3, command: { type: "stop" } },
    { step: 1, command: { type: "checkpoint" } },
    { step: 0, command: { type: "pause" } },
  ]);
  control.resume();
  assert.equal(control.take(0), [{ type: "resume" }]);
  assert.equal(control.take(2), [{ type: "checkpoint" }]);
  assert.equal(control.take(2), []);
  assert.equal(control.take(3), [{ type: "stop" }]);
});

test("arrival: waits for a command, not if one is there", async () => {
  const control = new Control();
  let arrived = false;
  const waiting = control.arrival().then(() => {
    arrived = true;
  });
  await Promise.resolve();
  assert.not.ok(arrived);
  control.pause();
  await waiting;
  await control.arrival();
});

test.run();
