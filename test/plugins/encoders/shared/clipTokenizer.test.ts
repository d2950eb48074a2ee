import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLIP_CONTEXT } from "../../../../plugins/encoders/shared/clipContext.ts";
import { ClipTokenizer } from "../../../../plugins/encoders/shared/clipTokenizer.ts";
import { thrown } from "../../../helpers/thrown.ts";

const test = suite("plugins/encoders/shared/clipTokenizer");

/** A file of as many merges as CLIP's: two that matter, then pairs that no text has. */
const merges = ["#version: 0.2", "c a", "ca t</w>", ...Array.from({ length: 48_892 }, (_, i) => `q${i} z`)].join("\n");
const tokenizer = new ClipTokenizer(merges);
/** Ids of the first tokens: bytes that print, alone and at the end of a word. */
const letter = (text: string) => text.charCodeAt(0) - 33;
const last = (text: string) => 256 + letter(text);

test("pairs are merged by rank; a word ends with its own tokens", () => {
  assert.is(tokenizer.start, 49406);
  assert.is(tokenizer.end, 49407);
  assert.equal(tokenizer.encode("cat"), [513]);
  assert.equal(tokenizer.encode("ca"), [letter("c"), last("a")]);
  assert.equal(tokenizer.encode("cab"), [512, last("b")]);
});

test("letters are small, white space is one blank, digits stand alone, English endings apart", () => {
  assert.equal(tokenizer.encode(" CAT \t\n cat "), [513, 513]);
  assert.equal(tokenizer.encode("12"), [last("1"), last("2")]);
  assert.equal(tokenizer.encode("b's"), [last("b"), letter("'"), last("s")]);
});

test("entities are read twice, as Python does: numbers of what is no sign stand for nothing", () => {
  assert.equal(tokenizer.encode("&amp;amp;"), [last("&")]);
  assert.equal(tokenizer.encode("c&#97;t"), [513]);
  // html.unescape("c&#1;a&#x7f;t&#xFDD0;&#11;") is "cat"
  assert.equal(tokenizer.encode("c&#1;a&#x7f;t&#xFDD0;&#11;"), [513]);
  assert.equal(tokenizer.encode("&#128;"), tokenizer.encode("€"));
});

test("rows begin and end, however long the text is", () => {
  const rows = tokenizer.rows(["", "cat ".repeat(100)], "zero");
  assert.is(rows.length, 2 * CLIP_CONTEXT);
  assert.equal([...rows.subarray(0, 3)], [49406, 49407, 0]);
  assert.is(rows[2 * CLIP_CONTEXT - 1], 49407);
  assert.is(rows[2 * CLIP_CONTEXT - 2], 513);
  assert.is(tokenizer.rows(["cat"], "end")[CLIP_CONTEXT - 1], 49407);
});

test("a prefix: its tokens after the start, the row cut, a last token that is not 0 made the end, as DMD2 does", () => {
  for (const words of [0, 1, 5, 71, 72, 73, 74, 75, 76, 100]) {
    const text = "cat ".repeat(words);
    const [plain] = [tokenizer.rows([text], "zero")];
    const wanted = [plain[0], ...tokenizer.encode("a ca b"), ...plain.subarray(1)].slice(0, CLIP_CONTEXT);
    if (wanted[CLIP_CONTEXT - 1] !== 0) wanted[CLIP_CONTEXT - 1] = 49407;
    assert.equal([...tokenizer.rows([text], "zero", "a ca b")], wanted, `${words} words`);
  }
});

test("a file of other pairs is refused", () => {
  assert.match(
    thrown(() => new ClipTokenizer("#version\na b\n", "m.txt")).message,
    /m\.txt: line 3 is no pair of tokens|2 pairs/,
  );
  assert.is(thrown(() => new ClipTokenizer(merges.replace("c a", "c"))).code, "E_DATA");
});

test("lines may end as on Windows", () => {
  assert.equal(new ClipTokenizer(merges.replaceAll("\n", "\r\n")).encode("cat"), [513]);
});

test("cut: what a row has no place for, as it is spelt; nothing of a text that fits", () => {
  assert.is(tokenizer.cut("cat ".repeat(CLIP_CONTEXT - 2)), undefined);
  assert.is(tokenizer.cut(`${"cat ".repeat(CLIP_CONTEXT - 2)}Zürich's`), "zürich 's");
  assert.is(tokenizer.cut(""), undefined);
});

test("vocabularies of other sizes have fewer merges, and their own last tokens", () => {
  const small = new ClipTokenizer("#version: 0.2\nc a\nca t</w>\n", "merges.txt", 516);
  assert.equal([small.start, small.end], [514, 515]);
  assert.equal(small.encode("cat ca"), [513, letter("c"), last("a")]);
  const error = thrown(() => new ClipTokenizer("#version: 0.2\nc a", "merges.txt", 520));
  assert.is(error.code, "E_DATA");
  assert.match(error.message, /it has 1 pairs of tokens, expected the 6 of a vocabulary of 520$/);
});

test.run();
