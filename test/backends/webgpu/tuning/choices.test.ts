import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  type Choice,
  type Choices,
  decodeChoices,
  encodeChoices,
  type Measured,
} from "../../../../backends/webgpu/tuning/choices.ts";

const test = suite("backends/webgpu/tuning/choices");

const here: Measured = { adapter: "mesa llvmpipe", driver: "Mesa 25", kernels: "0123456789abcdef" };
const some: Choices = new Map<string, Choice>([
  ["matmul {} f32[8,4] f32[4,8]", { variant: "tiles", ms: { tiles: 0.2, registers: 1.5 } }],
  ["sum {} f32[9]", { variant: "lanes", ms: {} }],
]);
const changed = (change: object) => JSON.stringify({ ...JSON.parse(encodeChoices(here, some)), ...change });

test("what is written is read again", () => {
  assert.equal([...decodeChoices(encodeChoices(here, some), here)].sort(), [...some].sort());
  assert.equal(decodeChoices(encodeChoices(here, new Map()), here).size, 0);
});

test("choices of another adapter, driver or version of the kernels are refused by name", () => {
  for (const key of ["adapter", "driver", "kernels"] as const)
    assert.throws(
      () => decodeChoices(encodeChoices({ ...here, [key]: "other" }, some), here),
      new RegExp(`it is of other ${key} "other", expected "${here[key]}"`),
    );
});

test("damaged and hostile texts are refused, whatever they hold", () => {
  const choice = (value: unknown) => changed({ choices: { signature: value } });
  const texts = [
    "",
    "{",
    "null",
    "[]",
    "7",
    '"text"',
    "[".repeat(100_000),
    "\0\0\0",
    encodeChoices(here, some).slice(0, -20),
    changed({ format: 2 }),
    changed({ format: "1" }),
    changed({ adapter: { toString: 1 } }),
    changed({ choices: null }),
    changed({ choices: ["tiles"] }),
    changed({ choices: "tiles" }),
    choice(null),
    choice("tiles"),
    choice({ variant: 7, ms: {} }),
    choice({ variant: "", ms: {} }),
    choice({ variant: "x".repeat(1000), ms: {} }),
    choice({ variant: "tiles" }),
    choice({ variant: "tiles", ms: { tiles: "fast" } }),
    choice({ variant: "tiles", ms: { tiles: -1 } }),
    choice({
      variant: "tiles",
      ms: Object.fromEntries(new Array(99).fill(0).map((_, i) => [i, 1])),
    }),
    changed({ choices: { ["x".repeat(10_000)]: { variant: "tiles", ms: {} } } }),
    changed({
      choices: Object.fromEntries(new Array(20_001).fill(0).map((_, i) => [i, { variant: "a", ms: {} }])),
    }),
  ];
  for (const text of texts) {
    let message = "";
    try {
      decodeChoices(text, here);
    } catch (error) {
      message = (error as Error).message;
    }
    assert.match(message, /^it is (damaged|of other)/, text.slice(0, 200));
    assert.ok(message.length < 300, message);
  }
});

test("a key that is __proto__ changes no prototype", () => {
  const text = encodeChoices(here, some).replace("sum {} f32[9]", "__proto__");
  const choices = decodeChoices(text, here);
  assert.is(choices.get("__proto__")?.variant, "lanes");
  assert.is(({} as { variant?: string }).variant, undefined);
});

test.run();
