import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readPrompts } from "../../../examples/cli/prompts.ts";
import { dataFolder, floats } from "../../helpers/datasets.ts";

const test = suite("examples/cli/prompts");
const text = floats([2, 1, 2], [1, 2, 3, 4]);
const shape = { text: { shape: [1, 2], dtype: "f32", empty: "stored" } } as const;
const from = (tensors: Record<string, ReturnType<typeof floats>>, count = 3) =>
  readPrompts("data/p", dataFolder({ p: tensors }).files!, shape, count);

test("prompts are taken in turn, with the embedding of no text", async () => {
  const { condition, empty } = await from({
    text,
    "unconditional.text": floats([1, 2], [8, 9]),
  });
  assert.equal([...condition.text], [1, 2, 3, 4, 1, 2]);
  assert.equal([...empty.text], [8, 9]);
});

test("what is missing or of another shape is named", async () => {
  const says = async (tensors: Record<string, ReturnType<typeof floats>>) =>
    (await from(tensors).catch((error) => error)).message;
  assert.match(await says({}), /^Cannot use data\/p: text is missing/);
  assert.match(await says({ text: floats([2, 2], [1, 2, 3, 4]) }), /text is \[2, 2\], should be \[2, 1, 2\]/);
  assert.match(await says({ text }), /unconditional\.text is missing, should be \[1, 2\]/);
});

test("embeddings that are not finite are refused", async () => {
  const broken = floats([1, 2], [Number.NaN, 9]);
  const { code, message } = await from({ text, "unconditional.text": broken }).catch((error) => error);
  assert.is(
    `${code} ${message}`,
    "E_DATA Cannot use data/p: unconditional.text holds NaN or infinity, should hold finite numbers",
  );
});

test.run();
