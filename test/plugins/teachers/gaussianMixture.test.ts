import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TEACHER } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { gaussianMixture } from "../../../plugins/teachers/gaussianMixture.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/teachers/gaussianMixture");

const teacher = (options?: Parameters<typeof gaussianMixture>[0]) =>
  compose({ sample: [2], condition: {}, sigmaData: 0.7 }, gaussianMixture(options)).get(TEACHER);

test("is a well-formed plugin", () => checkPlugin(gaussianMixture, { displaced: [0, 3] }));

test("has no parameters and cannot be trained", () => {
  assert.is(layoutOf((scope) => teacher().declare(scope)).count, 0);
  assert.not.ok(teacher().trainable);
});

async function denoised(options: Parameters<typeof gaussianMixture>[0], x: number[], sigma: number) {
  const feed = new Feed();
  const { scope } = feed.weights("", () => []);
  const D = teacher(options)
    .bind(scope)
    .denoise(feed.tensor("x", [1, 2], x), feed.tensor("sigma", [1], [sigma]), {});
  return (await evaluate({ D }, feed)).D;
}

test("near a mode at a low level D stays; from afar it is the mean of all modes", async () => {
  const near = await denoised({}, [0, 1.01], 0.001);
  assert.ok(Math.hypot(near[0], near[1] - 1.01) < 1e-4, `${near}`);
  const far = await denoised({}, [0, 0], 80);
  assert.ok(Math.hypot(far[0], far[1]) < 1e-5, `${far}`);
});

test("a displaced mode stands further out", async () => {
  const at = await denoised({ displaced: [2], displacement: 0.5 }, [0, 1.4], 0.3);
  const before = await denoised({}, [0, 1.4], 0.3);
  assert.ok(at[1] > 1.45 && before[1] < 1.1, `${at} and ${before}`);
  assert.throws(() => teacher({ displaced: [8] }), /displaced has mode 8, should be 0 to 7/);
});

test.run();
