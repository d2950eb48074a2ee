import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import type { DataShape, Dataset, Denoiser } from "../../../../core/interfaces/mod.ts";
import { SAMPLER } from "../../../../core/interfaces/mod.ts";
import { constant, mul, reshape, sub } from "../../../../core/ops/mod.ts";
import { conditionArrays, conditionInputs, type Described } from "../../../../core/train/batch/conditionInputs.ts";
import { turnInputs } from "../../../../core/train/batch/turnInputs.ts";
import { Player, SampleDrawer } from "../../../../core/train/mod.ts";
import { heun } from "../../../../plugins/mod.ts";
import { compose } from "../../../plugins/support.ts";

const test = suite("core/train/conditionInputs");

const text = { shape: [1, 1], dtype: "f32", empty: "stored" } as const;
const shape: DataShape = { sample: [1], condition: { text }, sigmaData: 1 };
/** Sample n of a thousand is n, and its text 10 n. */
const dataset: Dataset = {
  name: "numbers",
  shape,
  size: 1000,
  empty: { text: Float32Array.of(-1) },
  batch(which, random) {
    const rows = Float32Array.from(typeof which === "number" ? { length: which } : which, (row) =>
      typeof which === "number" ? Math.floor(1000 * random()) : (row as number),
    );
    return { x: rows, condition: { text: rows.map((n) => 10 * n) } };
  },
};
const moment = { step: 3, seed: 1, batch: 4, parts: 1, losses: new Map() };
/**
 * What a turn is fed as the trainer asks for it: real samples from the stream of its own role, prompts from the maker's.
 */
const fed = (role: "teacher" | "generator" | "critic", over = {}) => {
  const streams = { teacher: 1, generator: 2, critic: 3 };
  const reads = new Map<Described, number>([["real", streams[role]]]);
  if (role !== "teacher") reads.set("prompt", streams.generator);
  const inputs = turnInputs(dataset, { ...moment, reads, ...over });
  return async (part = 0) =>
    Object.fromEntries(Object.entries(await inputs(part)).map(([name, values]) => [name, [...values]] as const));
};

test("both turns of a step are given the same prompts, other steps others", async () => {
  const [generator, critic] = [await fed("generator")(), await fed("critic")()];
  assert.equal(critic["prompt.text"], generator["prompt.text"]);
  const later = await fed("critic", { step: 4 })();
  assert.not.equal(later["prompt.text"], critic["prompt.text"]);
  assert.equal(critic["empty.text"], [-1]);
});

test("real samples have their own texts; a generator that starts from them has prompts of theirs", async () => {
  for (const role of ["teacher", "generator", "critic"] as const) {
    const inputs = await fed(role)();
    assert.equal(
      inputs["real.text"],
      inputs["real.x"].map((n) => 10 * n),
      role,
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
  for (const name of ["prompt.text", "real.text"]) assert.equal([...first[name], ...second[name]], whole[name], name);
});

test("conditionInputs: one row each, and what stands for none once for all", () => {
  const entry = (...shape: number[]) => ({ shape, dtype: "f32" }) as const;
  const pooled = { ...entry(2), empty: "zero" } as const;
  const condition = conditionInputs({ text, pooled, timeIds: entry(6) }, "real", 3);
  assert.equal(condition.text!.shape, [3, 1, 1]);
  assert.equal(
    [condition.pooled!.shape, condition.timeIds!.shape],
    [
      [3, 2],
      [3, 6],
    ],
  );
  assert.equal(condition["empty.text"]!.shape, [3, 1, 1]);
  const inputs = Object.values(condition).map((tensor) =>
    tensor!.op.name === "input" ? tensor!.attrs.name : tensor!.inputs[0].attrs.name,
  );
  assert.equal(inputs, ["real.text", "empty.text", "real.pooled", "real.timeIds"]);
  assert.equal(Object.keys(condition), ["text", "empty.text", "pooled", "timeIds"]);
  assert.equal(conditionInputs({}, "real", 3), {});
  const { "empty.text": empty } = conditionInputs({ text: entry(1, 1) }, "real", 1);
  assert.is(empty, undefined, "there is none to lead away from");
});

test("conditionInputs: entries that are made are not fed", () => {
  const label = { shape: [], dtype: "i32", classes: 4, empty: "absent" } as const;
  const asked: string[] = [];
  const made = constant(1, "i32", [2]);
  const condition = conditionInputs({ label, text }, "prompt", 2, (name, { classes }) => {
    asked.push(name);
    return classes === undefined ? undefined : made;
  });
  assert.equal(asked, ["label", "text"]);
  assert.is(condition.label, made);
  assert.is(condition.text!.attrs.name, "prompt.text");
});

test("conditionArrays: the rows asked for, zeros after the last", () => {
  const condition = { text: Float32Array.of(1, 2, 3), label: Int32Array.of(4, 5, 6) };
  const label = { shape: [], dtype: "i32", classes: 9 } as const;
  const given = { condition, empty: dataset.empty };
  const arrays = conditionArrays({ text, label }, "prompt", given, { first: 2, size: 2 });
  assert.equal(arrays, {
    "prompt.text": Float32Array.of(3, 0),
    "prompt.label": Int32Array.of(6, 0),
    "empty.text": Float32Array.of(-1),
  });
});

test("samples are drawn of the texts that are given, and of none without", async () => {
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  // D = text − the empty text, whatever the noise: each sample ends there.
  const denoise: Denoiser["denoise"] = (x, _, condition) =>
    reshape(sub(mul(condition.text!, 1), condition["empty.text"]!), x.shape);
  const bind = () => ({ denoise });
  const player = new Player("teacher", { bind, declare: () => {} }, memory);
  const sampler = compose(shape, heun({ steps: 2 })).get(SAMPLER);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, shape, 2);
  const condition = { text: Float32Array.of(5, 6, 7) };
  const { x } = await drawer.draw({ count: 3, seed: 0, condition, empty: dataset.empty });
  assert.equal([...x], [6, 7, 8]);
  const error = await drawer.draw({ count: 3, seed: 0 }).catch((reason) => reason);
  assert.match(error.message, /^Cannot draw 3 samples: there is no text, expected one for each$/);
});

test.run();
