import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel, type DataShape, LOSSES } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { latentConsistencyGenerator } from "../../../plugins/generators/latentConsistency.ts";
import { latentConsistencyLoss } from "../../../plugins/losses/latentConsistency.ts";
import { skippingSteps } from "../../../plugins/losses/shared/latentConsistency.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose } from "../support.ts";

const test = suite("plugins/losses/latentConsistency");

test("is a well-formed plugin", () => checkPlugin(latentConsistencyLoss, { grid: 25 }));

test("steps: strides over the timesteps, the lowest to 0", () => {
  const steps = skippingSteps(1000, 50);
  assert.equal([steps.length, steps[0], steps[49]], [50, { from: 19, to: 0 }, { from: 999, to: 979 }]);
});

test("what data, network or levels cannot give is refused", () => {
  const plain: DataShape = { sample: [2], condition: {}, sigmaData: 1 };
  const refused = (options: object, shape: DataShape, generator: object) =>
    assert.throws(
      () => compose(shape, mlp(), latentConsistencyGenerator(generator), latentConsistencyLoss(options)).all(LOSSES),
      (error: Error) => {
        messages.push(error.message);
        return true;
      },
    );
  const messages: string[] = [];
  refused({}, plain, { guidanceMax: 2 });
  refused({}, { ...plain, condition: classLabel(3) }, { guidanceMax: 2 });
  refused({ grid: 2 }, plain, { sigmas: [0.1] });
  assert.match(messages[0], /the data have neither texts nor classes/);
  assert.match(messages[1], /the network has never seen a sample without its class/);
  assert.match(messages[2], /grid is 2, whose lowest timestep is noisier/);
});

test.run();
