import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ScalarInputs } from "../../../core/graph/scalarInputs.ts";
import { compute } from "../../helpers/compute.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/train/scalarInputs");

test("ScalarInputs: each name is a scalar with the number given for it", async () => {
  const scalars = new ScalarInputs();
  const { rate } = scalars.named;
  const outputs = { rate, keep: scalars.get("keep"), again: scalars.get("rate") };
  const sent = scalars.encode({ keep: 0.5, rate: 2, unused: 7 });
  const values = await compute(outputs, { scalars: sent });
  assert.equal([values.rate[0], values.keep[0], values.again[0]], [2, 0.5, 2]);
});

test("ScalarInputs: says which number is missing", () => {
  const scalars = new ScalarInputs();
  scalars.get("rtae");
  const error = thrown(() => scalars.encode({ rate: 1 }));
  assert.is(error.message, 'Cannot run a program: its scalar "rtae" was not given, it should be one of rate');
});

test.run();
