import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { onestep, scratch } from "./program.ts";

const test = suite("examples/cli (sample --guidance)");
const { path, remove } = scratch();
test.after(remove);

const device = ["--device", "reference"];
const train = (preset: string, ...settings: string[]) => {
  const sets = ["train.batch=4", "method.teacher.batch=4", "train.evaluateCount=8", "network.width=4", ...settings];
  const lengths = ["--steps", "4", "--teacher-steps", "1"];
  return onestep(
    "train",
    preset,
    ...lengths,
    ...sets.flatMap((each) => ["--set", each]),
    "--out",
    path(preset),
    ...device,
  );
};
const sample = (run: string, ...words: string[]) =>
  onestep("sample", path(run), "--n", "8", "--out", path(`${words.join("")}.png`), ...words, ...device);

test("a generator that was told scales in training draws at any of them", async () => {
  const preset = "gaussians-guided-distillation";
  await train(preset, "method.firstSteps=1", "optimizers.generator.lr=0.3", "optimizers.generator.warmup=0");
  for (const scale of ["1", "4"]) {
    const { code, stdout } = await sample(preset, "--guidance", scale);
    assert.is(code, 0);
    assert.match(stdout, new RegExp(`8 samples of the generator, guidance ${scale}, NFE 1`));
  }
  assert.not.equal(readFileSync(path("--guidance1.png")), readFileSync(path("--guidance4.png")));
  const { code, stderr } = await sample(preset, "--guidance", "2", "--role", "teacher");
  assert.is(code, 2);
  assert.match(stderr, /E_OPTION: Cannot sample with --guidance 2: the teacher was not taught to be told a scale/);
});

test("another is not", async () => {
  await train("gaussians-kd");
  const { code, stderr } = await sample("gaussians-kd", "--guidance", "2");
  assert.is(code, 2);
  assert.match(stderr, /Cannot sample with --guidance 2: the generator was not taught to be told a scale/);
});

test.run();
