import { suite } from "uvu";
import * as assert from "uvu/assert";
import { statesOf, tinyRun } from "../support.ts";

const test = suite("core/train/diagnosis");

/** What is told at each diagnosis of a run. */
async function diagnoses(over: object) {
  const { run } = await tinyRun(over);
  const told: Promise<{ role: string; step: number; values: Record<string, number> }>[] = [];
  run.bus.on("role/diagnosed", ({ role, step, values }) => {
    const entries = Object.entries(values).map(async ([name, scalar]) => [name, await scalar.read()]);
    told.push(Promise.all(entries).then((read) => ({ role, step, values: Object.fromEntries(read) })));
  });
  await run.start();
  const states = await statesOf(run);
  await run.dispose();
  return { told: await Promise.all(told), states };
}

test("tells the pull of each loss at the images, brightness, contrast, and what losses report", async () => {
  const { told } = await diagnoses({
    train: { diagnoseEvery: 3 },
    method: { teacher: { steps: 1 } },
  });
  const of = (role: string) => told.filter((each) => each.role === role);
  assert.equal(
    of("generator").map(({ step }) => step),
    [0, 3, 6],
  );
  assert.equal(
    of("critic").map(({ step }) => step),
    [0, 3, 6],
  );
  assert.equal(Object.keys(of("generator")[0].values).sort(), [
    "brightness",
    "contrast",
    "critic-lag",
    "discriminator-on-fake",
    "distribution-matching",
    "gan-generator",
    "image-gradient distribution-matching",
    "image-gradient gan-generator",
  ]);
  const first = of("generator")[0].values;
  // The critic begins as the teacher.
  assert.is(first["image-gradient distribution-matching"], 0);
  assert.ok(first["image-gradient gan-generator"] > 0);
  assert.ok(first.brightness > 0 && first.brightness < 1 && first.contrast > 0);
  for (const { values } of of("critic"))
    for (const name of ["discriminator-on-real", "discriminator-on-fake"])
      assert.ok(values[name] > 0 && values[name] < 1);
});

test("the pull of a loss grows with its weight: ‖w ∂L/∂x‖", async () => {
  const pull = async (weight: number) => {
    const { told } = await diagnoses({
      losses: { "gan-generator": { weight } },
      train: { steps: 1, diagnoseEvery: 1 },
      method: { teacher: { steps: 0 } },
    });
    return told[0].values["image-gradient gan-generator"];
  };
  const ratio = (await pull(0.3)) / (await pull(0.1));
  assert.ok(Math.abs(ratio - 3) < 1e-5);
});

test("a diagnosis changes nothing", async () => {
  const quiet = await diagnoses({});
  const watched = await diagnoses({ train: { diagnoseEvery: 1 } });
  assert.is(quiet.told.length, 0);
  assert.equal(watched.states, quiet.states);
});

test.run();
