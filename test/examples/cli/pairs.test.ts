// A teacher, its pairs, and the run that trains on them, all by the command line.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodePairs } from "../../../core/io/mod.ts";
import { onestep, scratch, tinyConfig } from "./program.ts";

const test = suite("examples/cli pairs");
const { path, remove } = scratch();
test.after(remove);

const reference = ["--device", "reference"];
const [run, file] = [path("run"), path("pairs.safetensors")];
const bytes = () => new Uint8Array(readFileSync(file));

test("pairs: as many as asked, from the seed, with where they are from in the header", async () => {
  const config = tinyConfig(path("tiny.json"), { steps: 0 });
  assert.is((await onestep("train", config, "--out", run, "--quiet", ...reference)).code, 0);
  const draw = ["pairs", run, "--n", "6", "--steps", "5", "--seed", "3", "--out", file];
  const { code, stdout } = await onestep(...draw, ...reference);
  assert.is(code, 0);
  const { pairs, info } = decodePairs(bytes(), file);
  assert.match(stdout, new RegExp(`: 6 pairs of the teacher ${info.teacher.slice(0, 12)}, NFE 9\\n`));
  assert.equal(pairs.shape, [6, 2]);
  assert.equal([info.seed, info.nfe, info.sampler.use, info.sampler.steps], [3, 9, "heun", 5]);
  assert.is(info.sampler.sigmaMax, 10, "the run's own");
});

test("pairs: keeps states of the path, from which a generator of several steps learns", async () => {
  const paths = path("paths.safetensors");
  const draw = ["pairs", run, "--n", "6", "--steps", "5", "--levels", "2", "--out", paths, ...reference];
  const { code, stdout } = await onestep(...draw);
  assert.is(code, 0);
  const [, level] = stdout.match(/, states at ([\d.]+), NFE 9\n/)!;
  const losses = ["losses.regression=off", `losses.knowledge-distillation.pairs=${paths}`, "train.steps=2"];
  const set = (sigmas: string) => [
    "--resume",
    "--out",
    run,
    "--quiet",
    ...reference,
    ...[...losses, sigmas].flatMap((each) => ["--set", each]),
  ];
  const refused = await onestep("train", ...set("generator.sigmas=10,3"));
  assert.match(
    refused.stderr,
    new RegExp(`no state of the teacher's path at level 3, .*paths.safetensors has some at ${level}`),
  );
});

test("pairs: leaves a file that is there, without --force", async () => {
  const before = bytes();
  const words = ["pairs", run, "--n", "4", "--out", file, ...reference];
  const refused = await onestep(...words);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /error E_FILE: .*there already\nfix: .*--force/);
  assert.equal(bytes(), before);
  assert.is((await onestep(...words, "--force")).code, 0);
  assert.equal(decodePairs(bytes(), file).pairs.shape, [4, 2]);
});

test("pairs: of a teacher only, and of a sampler without fresh noise", async () => {
  const other = ["--out", path("other"), ...reference];
  const generator = await onestep("pairs", `${run}/generator.safetensors`, ...other);
  assert.match(generator.stderr, /E_CHECKPOINT: .*is of the generator, expected a teacher/);
  const churn = await onestep("pairs", run, "--set", "churn=5", ...other);
  assert.match(churn.stderr, /E_OPTION: .*draws fresh noise on its way/);
});

test("train: the run goes on with its pairs; a run with another teacher refuses them", async () => {
  const set = ["--set", `losses.regression.pairs=${file}`, "--quiet", ...reference];
  const again = await onestep("train", "--resume", "--out", run, "--steps", "6", ...set);
  assert.is(again.code, 0, again.stderr);
  assert.match(readFileSync(`${run}/events.jsonl`, "utf8"), /"regression":\d/);
  const other = path("other-run");
  const refused = await onestep("train", path("tiny.json"), "--seed", "1", "--out", other, ...set);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /error E_PAIRS: Cannot train on the pairs of .*this run's is \w{12}\n/);
  assert.match(refused.stderr, /fix: draw pairs with this run's teacher: `.*onestep pairs`/);
});

test.run();
