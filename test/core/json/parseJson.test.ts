import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isPlainData, parseJson } from "../../../core/json/parseJson.ts";

const test = suite("core/json/parseJson");

test("parseJson: what JSON.parse gives, brackets and quotes in texts among it", () => {
  const texts = ['{"a": [1, {"b": "]}\\"[{"}], "\\\\": null}', "[]", '"\\\\\\""', "1", '{"__proto__": 1}'];
  for (const text of texts) assert.equal(parseJson(text), JSON.parse(text), text);
  for (const text of ["", "{", '"', '"\\', "]", "{]", "nul"]) assert.throws(() => parseJson(text), SyntaxError);
});

test("parseJson: what lies in each other without end is refused, so that nobody's stack ends on it", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.ok(Array.isArray(parseJson(nested(100))));
  for (const text of [nested(101), '{"a":'.repeat(1e6)])
    assert.throws(
      () => parseJson(text),
      (error: Error) => error instanceof SyntaxError && /100 deep/.test(error.message),
    );
  assert.equal(parseJson(`[${"[],".repeat(1000)}[]]`), new Array(1001).fill([]), "beside each other they may lie");
});

test("isPlainData: neither circles, nor maps, patterns and functions, nor endless depth", () => {
  const circle: unknown[] = [];
  circle.push(circle, circle);
  let deep: unknown = 1;
  for (let i = 0; i < 101; i++) deep = { deep };
  for (const value of [circle, deep, new Map(), [/x/], { a: () => 1 }, 10n, new Uint8Array(1), new Date()])
    assert.not(isPlainData(value));
  for (const value of [1, "a", null, undefined, [], { a: [{}, true] }, Object.create(null)])
    assert.ok(isPlainData(value));
});

test.run();
