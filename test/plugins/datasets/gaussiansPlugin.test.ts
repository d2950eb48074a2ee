import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DATASET_SOURCE } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { gaussiansDataset } from "../../../plugins/datasets/gaussiansPlugin.ts";
import { compose } from "../support.ts";

const test = suite("plugins/datasets/gaussiansPlugin");

const load = (options?: Parameters<typeof gaussiansDataset>[0]) =>
  compose({ sample: [], classes: 0, sigmaData: 1 }, gaussiansDataset(options)).get(DATASET_SOURCE);

test("is a well-formed plugin", () => checkPlugin(gaussiansDataset, { modes: 5, displaced: [0] }));

test("gives points, their shape and the mixture they come from", async () => {
  const { name, shape, mixture, batch } = await load({ displaced: [2], displacement: 1 });
  assert.is(name, "gaussians");
  assert.equal(shape, { sample: [2], classes: 0, sigmaData: 0.7 });
  assert.is(mixture!.std, 0.12);
  assert.ok(Math.abs(mixture!.means[5] - 2) < 1e-12, "mode 2 stands at (0, 2)");
  const { x, label } = await batch(3, hostRandom(0, 0, 0));
  assert.is(x.length, 6);
  assert.is(label.length, 3);
});

test("refuses to displace a mode that is not there", async () => {
  const message = await load({ modes: 3, displaced: [3] }).catch((error: Error) => error.message);
  assert.match(message as string, /displaced has mode 3, should be 0 to 2/);
});

test.run();
