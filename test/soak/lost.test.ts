// The short form of `node build.mjs soak lost`.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { scratch } from "../examples/cli/program.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";
import { lostTrials } from "./lostTrials.ts";

const test = suite("soak/lost");
const { path, remove } = scratch();
test.after(remove);

for (const [device, count] of [
  ["reference", 3],
  ["wasm", 2],
] as const)
  test(`runs whose device is lost end with the bits of one whose is not: ${device}`, async () => {
    const { losses, faults } = await lostTrials({ folder: path("."), count, seed: 7, device, files: memoryFiles() });
    assert.equal(faults, []);
    assert.is(
      Object.values(losses).reduce((sum, n) => sum + n, 0),
      count,
    );
  });

test.run();
