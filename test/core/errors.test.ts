import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  CheckpointError,
  catalogue,
  type ErrorCode,
  failure,
  invariant,
  KernelError,
  MissingPluginError,
  nearest,
  OnestepError,
  OptionError,
  ShapeError,
  suggestion,
} from "../../core/errors.ts";

const test = suite("core/errors");
const codes = Object.keys(catalogue) as ErrorCode[];

test("every code is spelt like one and tells the way out", () => {
  for (const code of codes) {
    assert.match(code, /^E_[A-Z]+(_[A-Z]+)*$/);
    assert.ok(catalogue[code].fix.length > 10, `${code} needs a fix`);
    assert.not.match(catalogue[code].fix, /\.$/, `${code}: no full stop`);
  }
});

test("failure: makes the class of the code, with code, fix and cause", () => {
  const classOf = {
    shape: ShapeError,
    option: OptionError,
    "missing-plugin": MissingPluginError,
    kernel: KernelError,
    checkpoint: CheckpointError,
    usage: OnestepError,
  };
  for (const code of codes) {
    const cause = new Error("below");
    const error = failure(code, "Cannot test this: it is a test", { cause });
    const expected = classOf[catalogue[code].kind];
    assert.instance(error, expected);
    assert.is(error.name, expected.name);
    assert.is(error.code, code);
    assert.is(error.fix, catalogue[code].fix);
    assert.is(error.cause, cause);
  }
});

test("failure: a fix of its own replaces the general one", () => {
  assert.is(failure("E_DATA", "Cannot read x: y", { fix: "fetch it" }).fix, "fetch it");
});

test("nearest: finds slips of case, spelling and order, not other words", () => {
  const names = ["sigmaMin", "sigmaMax", "guidanceScale"];
  assert.is(nearest("sigma_max", names), "sigmaMax");
  assert.is(nearest("SIGMAMIN", names), "sigmaMin");
  assert.is(nearest("guidnaceScale", names), "guidanceScale");
  assert.is(nearest("batchSize", names), undefined);
  assert.is(nearest("x", []), undefined);
});

test("suggestion: a phrase, or nothing", () => {
  assert.is(suggestion("mnits", ["mnist"]), ', did you mean "mnist"?');
  assert.is(suggestion("cifar", ["mnist"]), "");
});

test("invariant: passes what is true, and calls the rest our bug", () => {
  invariant(true, "never seen");
  assert.throws(() => invariant(0, "a sum is zero"), /^onestep bug: a sum is zero$/);
});

test("a message is one line of bounded length, whatever it quotes; a compiler's keeps its lines", () => {
  const quoting = (text: string) => failure("E_DATA", `Cannot read x: it holds "${text}"`).message;
  assert.is(quoting("a\nfix: do\u001b[2J\u202e"), 'Cannot read x: it holds "a\\u000afix: do\\u001b[2J\\u202e"');
  assert.is(quoting("größer 漢字"), 'Cannot read x: it holds "größer 漢字"');
  for (const letter of ["é", "\u0000"]) {
    const { length } = quoting(letter.repeat(1e6));
    assert.ok(length <= 3000, `${length} characters`);
  }
  assert.is(failure("E_KERNEL", "Cannot compile x:\n\tline 3").message, "Cannot compile x:\n\tline 3");
});

test("nearest: a text of any length for a name takes no time", () => {
  const began = performance.now();
  for (let i = 0; i < 100; i++) assert.is(nearest("a".repeat(100_000), ["train", "steps", "start"]), undefined);
  assert.ok(performance.now() - began < 200);
});

test.run();
