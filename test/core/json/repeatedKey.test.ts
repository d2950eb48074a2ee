import { suite } from "uvu";
import * as assert from "uvu/assert";
import { repeatedKey } from "../../../core/json/repeatedKey.ts";

const test = suite("core/json/repeatedKey");

test("finds a key held twice, at any depth and however it is spelt", () => {
  assert.is(repeatedKey('{"a": 1, "b": 2, "a": 3}'), "a");
  assert.is(repeatedKey('{"x": [{"y": {}, "y": 0}]}'), "y");
  assert.is(repeatedKey('{"a": 1, "\\u0061": 2}'), "a");
  assert.is(repeatedKey('{"__proto__": 1, "__proto__": 2}'), "__proto__");
});

test("is not misled by the same key in other objects, by values or by text inside strings", () => {
  const texts = [
    '{"a": {"b": 1}, "c": {"b": 1}}',
    '[{"a": 1}, {"a": 1}]',
    '{"a": "a", "b": "a"}',
    '{"a": "{\\"a\\": 1, \\"a\\": 2}", "b": "\\\\"}',
    '{"a": ["x", "x"], "b": {}, "c": []}',
    "{}",
    "[]",
    '"a"',
    "1",
  ];
  for (const text of texts) assert.is(repeatedKey(text), undefined, text);
});

test("names of any length, and any number of backslashes in them", () => {
  for (const letter of ["a", "\\\\", "\\n", '\\"']) {
    const name = letter.repeat(2_000_000);
    assert.is(repeatedKey(`{"${name}": 1, "b": 2}`), undefined);
    assert.is(repeatedKey(`{"${name}": 1, "b": 2, "b": 3}`), "b");
  }
});

test.run();
