import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import type { DataShape, Dataset, Denoiser } from "../../../../core/interfaces/mod.ts";
import { SAMPLER } from "../../../../core/interfaces/mod.ts";
import { mul, reshape, sub } from "../../../../core/ops/mod.ts";
import { textArrays, textInputs } from "../../../../core/train/batch/conditionInputs.ts";
import { phaseInputs } from "../../../../core/train/batch/turnInputs.ts";
import { Player, SampleDrawer } from "../../../../core/train/mod.ts";
import { heun } from "../../../../plugins/mod.ts";
import { compose } from "../../../plugins/support.ts";

const test = suite("core/train/textInputs");

const text = { tokens: 1, width: 1, unconditional: ["text"] } as const;
const shape: DataShape = { sample: [1], classes: 0, sigmaData: 1, text };
/** Sample n of a thousand is n, and its text 10 n. */
const dataset: Dataset = {
  name: "numbers",
  shape,
  size: 1000,
  unconditional: { text: Float32Array.of(-1) },
  batch(which, random) {
    const rows = Float32Array.from(typeof which === "number" ? { length: which } : which, (row) =>
      typeof which === "number" ? Math.floor(1000 * random()) : (row as number),
    );
    const label = new Int32Array(rows.length);
    return { x: rows, label, described: { text: rows.map((n) => 10 * n) } };
  },
};
const moment = { step: 3, seed: 1, batch: 4, parts: 1, losses: [], readsReal: true };
const fed = (phase: "teacher" | "generator" | "critic", over = {}) => {
  const inputs = phaseInputs(dataset, { ...moment, phase, ...over });
  return async (part = 0) =>
    Object.fromEntries(
      Object.entries(await inputs(part)).map(([name, values]) => [name, [...values]]),
    );
};

test("both turns of a step are given the same prompts, other steps others", async () => {
  const [generator, critic] = [await fed("generator")(), await fed("critic")()];
  assert.equal(critic["prompt.text"], generator["prompt.text"]);
  const later = await fed("critic", { step: 4 })();
  assert.not.equal(later["prompt.text"], critic["prompt.text"]);
  assert.equal(critic["unconditional.text"], [-1]);
});

test("real samples have their own texts; a generator that starts from them has prompts of theirs", async () => {
  for (const phase of ["teacher", "generator", "critic"] as const) {
    const inputs = await fed(phase)();
    assert.equal(
      inputs["real.text"],
      inputs["real.x"].map((n) => 10 * n),
      phase,
    );
  }
  const generator = await fed("generator")();
  assert.equal(generator["prompt.text"], generator["real.text"]);
  const critic = await fed("critic")();
  assert.not.equal(critic["prompt.text"], critic["real.text"]);
  assert.not.ok("prompt.text" in (await fed("teacher")()));
});

test("a batch in parts is the batch", async () => {
  const parts = fed("critic", { parts: 2 });
  const [whole, first, second] = [await fed("critic")(), await parts(0), await parts(1)];
  for (const name of ["prompt.text", "real.text"])
    assert.equal([...first[name], ...second[name]], whole[name], name);
});

test("textInputs: one row each, and the embedding of no text for all", () => {
  const condition = textInputs({ ...text, pooled: 2 }, "real", 3);
  assert.equal(condition.text!.shape, [3, 1, 1]);
  assert.equal(
    [condition.pooled!.shape, condition.timeIds!.shape],
    [
      [3, 2],
      [3, 6],
    ],
  );
  assert.equal(condition.unconditional!.text!.shape, [3, 1, 1]);
  assert.is(condition.unconditional!.pooled, undefined);
  assert.equal(textInputs(undefined, "real", 3), {});
  const { unconditional } = textInputs({ tokens: 1, width: 1 }, "real", 1);
  assert.is(unconditional, undefined, "there is none to lead away from");
});

test("textArrays: zeros after the last row", () => {
  const described = { text: Float32Array.of(1, 2, 3) };
  const given = { described, unconditional: dataset.unconditional };
  const { "prompt.text": rows } = textArrays(text, "prompt", given, { first: 2, size: 2 });
  assert.equal([...rows], [3, 0]);
});

test("samples are drawn of the texts that are given, and of none without", async () => {
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  // D = text − the empty text, whatever the noise: each sample ends there.
  const denoise: Denoiser["denoise"] = (x, _, { text: told, unconditional }) =>
    reshape(sub(mul(told!, 1), unconditional!.text!), x.shape);
  const bind = () => ({ denoise });
  const player = new Player("teacher", { bind, declare: () => {} }, memory);
  const sampler = compose(shape, heun({ steps: 2 })).get(SAMPLER);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, shape, 2);
  const described = { text: Float32Array.of(5, 6, 7) };
  const { unconditional } = dataset;
  const { x } = await drawer.draw({ count: 3, seed: 0, described, unconditional });
  assert.equal([...x], [6, 7, 8]);
  const error = await drawer.draw({ count: 3, seed: 0 }).catch((reason) => reason);
  assert.match(error.message, /^Cannot draw 3 samples: there are no texts/);
});

test.run();
