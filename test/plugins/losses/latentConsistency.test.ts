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

test("is a well-formed plugin", () => checkPlugin(latentConsistencyLoss, { guidanceMin: 6, guidanceMax: 16 }));

test("steps: strides over the timesteps, the lowest to 0", () => {
  const steps = skippingSteps(1000, 50);
  assert.equal([steps.length, steps[0], steps[49]], [50, { from: 19, to: 0 }, { from: 999, to: 979 }]);
});

test("what data, network or levels cannot give is refused", () => {
  const plain: DataShape = { sample: [2], condition: {}, sigmaData: 1 };
  const refused = (options: object, shape: DataShape = plain, sigmas = [10], guidanceScale?: number) =>
    assert.throws(
      () =>
        compose(
          shape,
          mlp(),
          latentConsistencyGenerator({ sigmas, guidanceScale }),
          latentConsistencyLoss(options),
        ).all(LOSSES),
      (error: Error) => {
        messages.push(error.message);
        return true;
      },
    );
  const messages: string[] = [];
  refused({ guidanceMin: 3, guidanceMax: 2 });
  refused({ guidanceMax: 2 });
  refused({ guidanceMax: 2 }, { ...plain, condition: classLabel(3) });
  refused({ grid: 2 }, plain, [0.1]);
  refused({}, plain, [10], 2);
  assert.match(messages[0], /guidanceMin is 3 and guidanceMax 2/);
  assert.match(messages[1], /the data have neither texts nor classes/);
  assert.match(messages[2], /the network has never seen a sample without its class/);
  assert.match(messages[3], /grid is 2, whose lowest timestep is noisier/);
  assert.match(messages[4], /draws samples with the guidance scale 2 and learns scales from 1 to 1/);
});

test.run();
