import { suite } from "uvu";
import * as assert from "uvu/assert";
import { misfit } from "../../../core/nn/parameters.ts";
import { errorText } from "../../../examples/cli/exitStatus.ts";

const test = suite("examples/cli errors in words");

test("--verbose prints the whole of a list that a message cuts, and the way out names it", () => {
  const names = Array.from({ length: 30 }, (_, i) => `missing net.${i}.weight`);
  const error = misfit("Cannot load weights", names);
  const short = errorText(error);
  assert.is(short.split("\n").length, 2);
  assert.match(short, /--verbose lists all of them$/);
  const long = errorText(error, true);
  for (const name of names) assert.ok(long.includes(`\n  ${name}\n`), name);
  assert.not.match(long, /--verbose/);
  assert.not.match(errorText(misfit("Cannot load weights", names.slice(0, 1))), /--verbose/, "nothing is cut");
});

test.run();
