import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  classLabel,
  type DataShape,
  GENERATOR,
  LOSSES,
  type LossContext,
  TEACHER,
} from "../../../core/interfaces/mod.ts";
import { initialise, layoutOf, unpackArenas } from "../../../core/nn/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { guidedDistillationLoss } from "../../../plugins/losses/guidedDistillation.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { guided } from "../../../plugins/teachers/guided.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/guidedDistillation");

const shape: DataShape = { sample: [2], condition: classLabel(3), sigmaData: 0.5 };
const bounds = { sigmaMin: 0.1, sigmaMax: 5, rho: 7 };

test("is a well-formed plugin", () => checkPlugin(guidedDistillationLoss, { distance: "l1" }));

/** The loss of a fresh generator: the teacher's weights, and a branch for the scale that has learned nothing. */
async function atStart(guidance: object, stage: object) {
  const container = compose(
    shape,
    mlp({ width: 8, depth: 1, labelDropout: 0.1 }),
    edm(),
    fewStep({ sigmas: [5], guidanceScale: 1, ...guidance }),
    guidedDistillationLoss(),
  );
  const feed = new Feed();
  const [generator, teacher] = [container.get(GENERATOR), container.get(TEACHER)];
  const layout = layoutOf((scope) => generator.declare(scope));
  const values = unpackArenas(layout, initialise(layout, 0));
  const bound = <T>(role: { bind(scope: never): T }) =>
    role.bind(feed.weights("w.", (name) => values[name].data).scope as never);
  const roles = { teacher: bound(teacher), former: bound(generator) };
  const value = container.all(LOSSES)[0].compute({
    real: { x: feed.tensor("x", [16, 2], numbers([16, 2])), condition: feed.label("label", Array(16).fill(1)) },
    generator: roles.former,
    role: (name: keyof typeof roles) => roles[name],
    noise: feed.noise(),
    stage: { name: "test", numbers: { ...bounds, ...stage } },
  } as unknown as LossContext);
  return (await evaluate({ value }, feed, "f64")).value[0];
}

test("a fresh generator at scale 1 is its teacher: the loss is 0, and above 0 where guidance leads away", async () => {
  assert.ok((await atStart({ guidanceMin: 1, guidanceMax: 1.0000001 }, {})) < 1e-9);
  assert.ok((await atStart({ guidanceMin: 1, guidanceMax: 4 }, {})) > 1e-4);
});

test("a round compares with the one before, which is told the scale and not guided again", async () => {
  const [low, high] = [
    await atStart({ guidanceMax: 2 }, { steps: 2 }),
    await atStart({ guidanceMax: 9 }, { steps: 2 }),
  ];
  assert.ok(low > 0);
  assert.is(low, high); // a branch that has learned nothing hears no scale
});

test("refuses data without classes, a network that knows none, and a teacher that is guided already", () => {
  const made =
    (given: DataShape, labelDropout: number, teacher = edm()) =>
    () => {
      const generator = fewStep({ guidanceScale: 1, guidanceMax: 4 });
      return compose(given, mlp({ labelDropout }), teacher, generator, guidedDistillationLoss()).all(LOSSES);
    };
  assert.throws(made({ ...shape, condition: {} }, 0.1), /the data have neither texts nor classes/);
  assert.throws(made(shape, 0), /the network has never seen a sample without its class/);
  assert.throws(made(shape, 0.1, guided({ guidanceScale: 2 })), /the teacher is guided by 2 already/);
  assert.is(made(shape, 0.1, guided({ guidanceScale: 1 }))().length, 1);
});

test.run();
