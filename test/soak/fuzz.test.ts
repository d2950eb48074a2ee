// The short form of `node build.mjs soak fuzz`.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fuzzParser } from "./fuzzing/fuzzParser.ts";
import { parsers } from "./fuzzing/parsers.ts";

const test = suite("soak/fuzz");

for (const parser of parsers)
  test(`odd input of: ${parser.name}`, async () => {
    const { cases, taken, faults } = await fuzzParser(parser, { seed: 7, count: parser.slow ? 80 : 150 });
    assert.equal(faults, []);
    assert.ok(taken > cases / 50, `only ${taken} of ${cases} were taken: most should nearly fit`);
  });

test("the fuzzer sees what is wrong", async () => {
  const wrong: Record<string, () => unknown> = {
    "no code": () => JSON.parse("{"),
    "bytes of arrays": () => new Float32Array(1e6),
    "prototype was changed": () => Object.assign(Object.prototype, { polluted: 1 }),
  };
  for (const [what, run] of Object.entries(wrong)) {
    const { faults } = await fuzzParser(
      { name: "x", factor: 2, make: () => ({ size: 10, run }) },
      { seed: 1, count: 1 },
    );
    Reflect.deleteProperty(Object.prototype, "polluted");
    assert.is(faults.length, 1, what);
    assert.match(faults[0].what, what);
  }
});

test("a case of a parser is the same whenever it is made", async () => {
  const made: unknown[] = [];
  const parser = parsers.find(({ name }) => name === "settings of --set")!;
  const spied = {
    ...parser,
    make: async (draw: Parameters<typeof parser.make>[0]) => {
      const each = await parser.make(draw);
      made.push(each.size, draw.below(2 ** 24));
      return each;
    },
  };
  await fuzzParser(spied, { seed: 3, first: 5, count: 2 });
  await fuzzParser(spied, { seed: 3, first: 6, count: 1 });
  assert.equal(made.slice(2, 4), made.slice(4));
});

test.run();
