import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fits } from "../../../examples/cli/versionRange.ts";

const test = suite("examples/cli versionRange");

/** Ranges, with versions in them and not in them, as npm's own semver judges. */
const ranges: Record<string, [inside: string, outside: string]> = {
  "*": ["0.0.0 9.9.9", ""],
  "": ["1.2.3", ""],
  latest: ["1.2.3", ""],
  "1.2.3": ["1.2.3", "1.2.4 1.2.2"],
  "=1.2.3": ["1.2.3", "1.2.4"],
  "v1.2": ["1.2.0 1.2.9", "1.3.0 1.1.9"],
  "1": ["1.0.0 1.9.9", "2.0.0 0.9.9"],
  "1.x": ["1.0.0 1.9.9", "2.0.0"],
  "1.2.*": ["1.2.0 1.2.9", "1.3.0"],
  "^1.2.3": ["1.2.3 1.9.0", "1.2.2 2.0.0"],
  "^1.2": ["1.2.0 1.9.0", "1.1.9 2.0.0"],
  "^1": ["1.0.0 1.9.0", "0.9.9 2.0.0"],
  "^0.2.3": ["0.2.3 0.2.9", "0.2.2 0.3.0 1.0.0"],
  "^0.2": ["0.2.0 0.2.9", "0.1.9 0.3.0"],
  "^0.0.3": ["0.0.3", "0.0.2 0.0.4"],
  "^0.0": ["0.0.0 0.0.9", "0.1.0"],
  "^0": ["0.0.0 0.9.9", "1.0.0"],
  "~1.2.3": ["1.2.3 1.2.9", "1.2.2 1.3.0"],
  "~1.2": ["1.2.0 1.2.9", "1.3.0"],
  "~1": ["1.0.0 1.9.9", "2.0.0"],
  ">=1.2": ["1.2.0 5.0.0", "1.1.9"],
  ">1.2": ["1.3.0", "1.2.9 1.2.0"],
  ">1.2.3": ["1.2.4", "1.2.3"],
  "<1.2": ["1.1.9", "1.2.0"],
  "<=1.2": ["1.2.9", "1.3.0"],
  "<=1.2.3": ["1.2.3", "1.2.4"],
  ">= 0.2 < 0.4": ["0.2.0 0.3.9", "0.1.9 0.4.0"],
  "1.2 - 2.3": ["1.2.0 2.3.9", "1.1.9 2.4.0"],
  "^1.0.0 || ^3": ["1.5.0 3.2.1", "2.0.0 4.0.0"],
  ">=0.2.0-beta.1": ["0.2.0", "0.1.9"],
  "git+https://example.org/x": ["", "0.2.0"],
  "one two": ["", "1.2.0"],
};

for (const [range, [inside, outside]] of Object.entries(ranges))
  test(`"${range}"`, () => {
    for (const version of inside.split(" ").filter(Boolean)) assert.ok(fits(version, range), `${version} fits`);
    for (const version of outside.split(" ").filter(Boolean)) assert.not(fits(version, range), `${version} does not`);
  });

test("what is no version fits nothing", () => assert.not(fits("unknown", "*")));

test.run();
