// The short form of `node build.mjs soak kill`.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { scratch } from "../examples/cli/program.ts";
import { killTrials } from "./killTrials.ts";

const test = suite("soak/kill");
const { path, remove } = scratch();
test.after(remove);

test("runs that are killed at random moments end with the bits of one that is not", async () => {
  const { kills, faults } = await killTrials({ folder: path("."), count: 3, seed: 7, device: "reference" });
  assert.is(kills, 3);
  assert.equal(faults, []);
});

test.run();
