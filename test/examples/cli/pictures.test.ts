// A user's own pictures from the folder to a sample: what is found is said, and classes go by their names.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { onestep, scratch } from "./program.ts";

const test = suite("examples/cli pictures");
const { path, remove } = scratch();
test.after(remove);

test("train pictures, then sample a class by its name or its number", async () => {
  for (const [place, name] of ["9", "10"].entries()) {
    mkdirSync(join(path("own"), name), { recursive: true });
    for (let i = 0; i < 10; i++) {
      const data = Uint8Array.from({ length: 48 }, (_, at) => (at * (place + 2) + i) & 255);
      writeFileSync(join(path("own"), name, `${i}.png`), encodePng({ width: 8, height: 6, channels: 1, data }));
    }
  }
  const sets = ["network.channels=8", "network.channelsPerHead=8", "sampler.steps=2", "metrics.classifier-frechet=off"];
  const words = [...sets, "train.evaluateCount=4", "train.batch=4"].flatMap((each) => ["--set", each]);
  const small = ["--teacher-steps", "1", "--steps", "1", "--device", "wasm", ...words];
  const trained = await onestep("train", "pictures", "--data", path("own"), "--out", path("run"), ...small);
  assert.is(trained.code, 0, trained.stderr);
  assert.match(trained.stderr, /^data {4}20 pictures, 8 x 6, grey; 2 classes: 0 9, 1 10; 2 are held out to judge by$/m);
  assert.match(trained.stdout, /patches/);
  const planned = await onestep("plan", "pictures", "--data", path("own"), "--device", "wasm", ...words);
  assert.match(planned.stdout, /^data {8}20 pictures, 8 x 6, grey; 2 classes: 0 9, 1 10; 2 are held out to judge by$/m);

  const sample = (label: string) =>
    onestep("sample", path("run"), "--n", "3", "--label", label, "--device", "wasm", "--out", path(`${label}.png`));
  assert.match((await sample("10")).stdout, /10\.png: 3 samples of the generator, class 10, NFE 1/);
  assert.match((await sample("0")).stdout, /0\.png: 3 samples of the generator, class 9, NFE 1/);
  const { code, stderr } = await sample("nine");
  assert.is(code, 2);
  assert.match(stderr, /Cannot sample class nine: classes are 9, 10, or 0 to 1/);
});

test.run();
