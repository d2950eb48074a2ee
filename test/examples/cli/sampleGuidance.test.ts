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
  const fast = ["teacher", "generator"].flatMap((role) =>
    ["lr=0.3", "warmup=0"].map((each) => `optimizers.${role}.${each}`),
  );
  await train(preset, "method.firstSteps=1", ...fast);
  for (const scale of ["1", "4"]) {
    const { code, stdout } = await sample(preset, "--guidance", scale);
    assert.is(code, 0);
    assert.match(stdout, new RegExp(`8 samples of the generator, guidance ${scale}, NFE 1`));
  }
  assert.not.equal(readFileSync(path("--guidance1.png")), readFileSync(path("--guidance4.png")));
  const { code, stderr } = await sample(preset, "--guidance", "4.5");
  assert.is(code, 2);
  assert.match(stderr, /E_OPTION: Cannot sample with guidance 4.5: the generator has learned scales from 1 to 4/);
  const { stdout } = await onestep("inspect", path(`${preset}/generator.safetensors`));
  assert.match(stdout, /the generator of a run, told a guidance scale from 1 to 4, 1 where nobody says/);
});

test("the teacher that it learned from is guided at the same scales", async () => {
  const teacher = ["--role", "teacher", "--steps", "2"];
  const { stdout } = await sample("gaussians-guided-distillation", ...teacher, "--guidance", "4");
  assert.match(stdout, /8 samples of the teacher, guidance 4, NFE 3/);
  await sample("gaussians-guided-distillation", ...teacher);
  const [guided, plain] = ["--guidance4", ""].map((end) => readFileSync(path(`--roleteacher--steps2${end}.png`)));
  assert.not.equal(guided, plain);
});

test("it is judged at any of its scales, and the protocol says at which", async () => {
  const judge = (...words: string[]) => {
    const asked = ["--reference", "gaussians", "--metric", "gaussian-modes", "--n", "16"];
    return onestep("evaluate", path("gaussians-guided-distillation"), ...asked, ...device, ...words);
  };
  const { code, stdout } = await judge("--guidance", "3");
  assert.is(code, 0);
  assert.match(stdout, /"guidance":3/);
  const { stderr } = await judge("--guidance", "0.5");
  assert.match(stderr, /Cannot evaluate with guidance 0.5: the generator has learned scales from 1 to 4/);
});

test("another is not", async () => {
  await train("gaussians-kd");
  const { code, stderr } = await sample("gaussians-kd", "--guidance", "2");
  assert.is(code, 2);
  assert.match(stderr, /Cannot sample with guidance 2: the generator was not taught to be told a scale/);
  const guided = await sample("gaussians-kd", "--guidance", "2", "--role", "teacher");
  assert.match(guided.stderr, /guidanceScale is 2, and the data have neither texts nor classes/);
});

test.run();
