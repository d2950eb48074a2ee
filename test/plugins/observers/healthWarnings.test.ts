import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { healthTable } from "../../../plugins/observers/mod.ts";

const test = suite("plugins/observers/healthWarnings");

const warning = (message: string) => ({
  monitor: "collapse",
  stage: "distillation",
  step: 20,
  steps: 40,
  message,
  advice: "lower it",
  severe: true,
});

test("a warning that comes again after the run went back is one, and updates that were left out are counted", async () => {
  const printed: string[] = [];
  const bus = new EventBus();
  healthTable((text) => printed.push(...text.split("\n"))).observe(bus);
  for (const message of ["samples are 0.081 apart", "samples are 0.082 apart"])
    bus.emit("health/warned", warning(message));
  const leftOut = { stage: "distillation", role: "generator", gradient: true, policy: "skip", inRow: 1 } as const;
  for (const step of [3, 4]) bus.emit("role/left-out", { ...leftOut, step, losses: ["poison"] });
  bus.emit("role/left-out", { ...leftOut, step: 9, losses: [] });
  bus.emit("run/end", { steps: 40, reason: "complete" });
  await bus.settled();
  assert.equal(printed, [
    "health (collapse), distillation step 20 of 40: samples are 0.082 apart; lower it",
    "2 updates were left out: of the generator, loss poison not finite",
    "1 update was left out: of the generator, its gradient not finite",
  ]);
});

test("a run that is well prints nothing", async () => {
  const printed: string[] = [];
  const bus = new EventBus();
  healthTable((text) => printed.push(text)).observe(bus);
  bus.emit("run/end", { steps: 40, reason: "complete" });
  await bus.settled();
  assert.equal(printed, []);
});

test.run();
