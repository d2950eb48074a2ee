import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DATASET_SOURCE } from "../../../core/interfaces/mod.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { gaussiansDataset } from "../../../plugins/datasets/gaussians.ts";
import { drawPoints, ringMixture } from "../../../plugins/datasets/shared/ring.ts";
import { uniform } from "../../helpers/uniform.ts";
import { compose } from "../support.ts";

const test = suite("plugins/datasets/gaussians");

const load = (options?: Parameters<typeof gaussiansDataset>[0]) =>
  compose({ sample: [], condition: {}, sigmaData: 1 }, gaussiansDataset(options)).get(DATASET_SOURCE);

test("gives points, their shape and the mixture they come from", async () => {
  const { name, shape, mixture, batch } = await load({ displaced: [2], displacement: 1 });
  assert.is(name, "gaussians");
  assert.equal(shape, { sample: [2], condition: {}, sigmaData: 0.7 });
  assert.is(mixture!.std, 0.12);
  assert.ok(Math.abs(mixture!.means[5] - 2) < 1e-12, "mode 2 stands at (0, 2)");
  const { x, condition } = await batch(3, hostRandom(0, 0, 0));
  assert.is(x.length, 6);
  assert.equal(condition, {});
});

test("the points are those of the ring that the options describe", async () => {
  const { batch } = await load({ modes: 3, radius: 2, deviation: 0.3 });
  const ring = ringMixture({ modes: 3, radius: 2, std: 0.3 });
  assert.equal((await batch(50, uniform(1))).x, drawPoints(ring, 50, uniform(1)));
});

test("with classes the mode of a point is its class, and the points stay the same", async () => {
  const { shape, batch } = await load({ modes: 3, classes: true, deviation: 1e-3 });
  assert.is(shape.condition.label.classes, 3);
  const { x, condition } = await batch(20, uniform(1));
  assert.equal(x, (await (await load({ modes: 3, deviation: 1e-3 })).batch(20, uniform(1))).x);
  const angles = [...(condition.label as Int32Array)].map((mode) => (2 * Math.PI * mode) / 3);
  for (const [b, angle] of angles.entries()) assert.ok(Math.abs(x[2 * b] - Math.cos(angle)) < 0.01);
});

test("describes itself as points without classes and without end", async () => {
  const { size, batch, test: held, choose, empty } = await load();
  assert.equal([size, held, choose, empty], [Infinity, undefined, undefined, undefined]);
  assert.is((await batch(0, uniform(1))).x.length, 0);
});

test("has no samples to take by index", async () => {
  const { batch } = await load();
  assert.throws(() => batch([0, 1], uniform(1)), /Cannot take gaussians by index/);
});

test("refuses to displace a mode that is not there", async () => {
  const message = await load({ modes: 3, displaced: [3] }).catch((error: Error) => error.message);
  assert.match(message as string, /displaced has mode 3, should be 0 to 2/);
});

test.run();
