import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { diagnosisTable } from "../../../plugins/observers/mod.ts";
import { scalars } from "./scene.ts";

const test = suite("plugins/observers/diagnosisTable");

/** What is printed for diagnoses of these brightnesses. */
async function printed(brightness: readonly number[]): Promise<string[]> {
  const bus = new EventBus();
  const texts: string[] = [];
  diagnosisTable((text) => void texts.push(text), 4).observe(bus);
  const stages = ["teacher", "distillation"].map((name) => ({ name, steps: 9 }));
  const config = { train: { batch: 16 } };
  bus.emit("run/start", { seed: 0, steps: 18, stages, device: "test", config });
  // The stage before the last is left out.
  const early = scalars({ brightness: 7, contrast: 7 }).losses;
  bus.emit("role/diagnosed", { stage: "teacher", role: "teacher", step: 0, values: early });
  brightness.forEach((value, i) => {
    const generator = {
      "distribution-matching": 7,
      "image-gradient distribution-matching": 0.5,
      brightness: value,
      contrast: 0.25,
      "critic-lag": 0.3,
    };
    const critic = { "discriminator-on-real": 0.75, "discriminator-on-fake": 0.125 };
    for (const [role, values] of Object.entries({ generator, critic }))
      bus.emit("role/diagnosed", {
        stage: "distillation",
        role,
        step: 10 * i,
        values: scalars(values).losses,
      });
  });
  await bus.settled();
  bus.emit("run/end", { steps: 9, reason: "complete" });
  return texts.flatMap((text) => text.split("\n")).map((line) => line.trim().replace(/ {2,}/g, " | "));
}

test("one row a diagnosis with both roles, then what it means", async () => {
  assert.equal(await printed([0.5, 0.75]), [
    "step | pull distribution-matching | D(real) | D(fake) | critic lag | brightness | contrast",
    "0 | 0.500 | 0.750 | 0.125 | 0.300 | 0.500 | 0.250",
    "10 | 0.500 | 0.750 | 0.125 | 0.300 | 0.750 | 0.250",
    "brightness swings by 0.250 between diagnoses",
    "critic lag of an exact critic: about 0.250",
  ]);
});

test("of many diagnoses only some, first and last among them; of none nothing", async () => {
  const lines = await printed(Array.from({ length: 31 }, () => 0.5));
  assert.equal(
    lines.slice(1, 5).map((line) => line.split(" ")[0]),
    ["0", "100", "200", "300"],
  );
  assert.equal(await printed([]), []);
});

test.run();
