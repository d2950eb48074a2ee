import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { distributionMatching } from "../../../plugins/losses/distributionMatching.ts";
import { scoreDistillation } from "../../../plugins/losses/scoreDistillation.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/scoreDistillation");

const shape = { sample: [5], condition: {}, sigmaData: 0.5 };

test("without a weight it is twice distribution matching of a critic that believes every sample", async () => {
  const gradient = (plugin: ReturnType<typeof scoreDistillation>) => {
    const feed = new Feed();
    const x = feed.tensor("x", [4, 5], numbers([4, 5]));
    const context = {
      generated: { x, condition: {} },
      teacher: { denoise: (xt: typeof x) => mul(xt, 0.3) },
      critic: { denoise: () => x },
      noise: feed.noise(),
      shared: {},
    } as unknown as LossContext;
    const loss = compose(shape, plugin).all(LOSSES)[0].compute(context);
    return evaluate({ dx: grad(loss, [x])[0], loss }, feed, "f64");
  };
  const own = await gradient(scoreDistillation({ weighting: "none" }));
  const { dx } = await gradient(distributionMatching({ normalise: "none" }));
  for (const [i, each] of own.dx.entries()) assert.ok(Math.abs(each - 2 * dx[i]) < 1e-6, `${each}, twice ${dx[i]}`);
  const weighted = await gradient(scoreDistillation());
  assert.ok(weighted.loss[0] < own.loss[0], "more noise counts less");
});

test("a teacher that leaves the samples as they are gives loss 0 and no gradient", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 5], numbers([4, 5]));
  const context = {
    generated: { x, condition: {} },
    teacher: { denoise: () => x },
    noise: feed.noise(),
    shared: {},
  } as unknown as LossContext;
  const loss = compose(shape, scoreDistillation()).all(LOSSES)[0].compute(context);
  const found = await evaluate({ loss, dx: grad(loss, [x])[0] }, feed);
  assert.is(found.loss[0], 0);
  assert.ok(found.dx.every((each) => each === 0));
});

test.run();
