import { suite } from "uvu";
import * as assert from "uvu/assert";
import { discreteTable, mixingAt } from "../../../core/diffusion/mod.ts";
import {
  type ConditionShape,
  classLabel,
  type DataShape,
  emptyName,
  NETWORK,
  type Network,
  TEACHER,
} from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { constantArray, mul, reshape } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { discrete } from "../../../plugins/processes/discrete.ts";
import { guided } from "../../../plugins/teachers/guided.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/teachers/guided");

const shape: DataShape = {
  sample: [1],
  condition: { text: { shape: [1, 1], dtype: "f32", empty: "stored" } },
  sigmaData: 1,
};

/** ε = gain·text·x_t. */
const tinted = definePlugin({
  name: "tinted",
  kind: "network",
  token: NETWORK,
  about: "x times the text",
  options: {},
  create: (): Network => {
    const apply: Network["apply"] = (scope, x, _, { text }) =>
      mul(mul(x, reshape(text!, [x.shape[0], 1])), scope.parameter("gain", [1], { kind: "constant", value: 1 }));
    return { apply, features: apply };
  },
});
const teacher = (guidanceScale: number, data = shape) =>
  compose(data, tinted(), discrete(), guided({ guidanceScale })).get(TEACHER);

test("is a well-formed plugin", () => checkPlugin(guided, { guidanceScale: 8 }));

test("D = x0 of ε_∅ + w (ε_c − ε_∅) at the level's timestep", async () => {
  const tables = discreteTable();
  const { signal: a, noise: b } = mixingAt(tables, 499);
  const xt = 1.5;
  const feed = new Feed();
  const { scope } = feed.weights("", () => [0.5]);
  const condition = {
    text: constantArray([3], [1, 1, 1]),
    [emptyName("text")]: constantArray([1], [1, 1, 1]),
  };
  const x = constantArray([xt / a], [1, 1]);
  const sigma = constantArray([tables.sigmas[499]], [1]);
  const D = teacher(4).bind(scope).denoise(x, sigma, condition);
  const eps = 0.5 * xt * (1 + 4 * (3 - 1));
  const expected = (xt - b * eps) / a;
  const { D: found } = await evaluate({ D }, feed);
  assert.ok(Math.abs(found[0] - expected) < 1e-4, `${found[0]}, not ${expected}`);
});

test("asks for the network's own parameters, and is not trained here", () => {
  const role = teacher(2);
  assert.equal(
    layoutOf((scope) => role.declare(scope)).entries.map(({ name }) => name),
    ["gain"],
  );
  assert.not.ok(role.trainable);
});

test("guidance without anything to lead away from is refused", () => {
  const refused = (condition: ConditionShape, says: RegExp) => {
    const data = { ...shape, condition };
    const error = thrown(() => teacher(2, data));
    assert.is(error.code, "E_OPTION");
    assert.match(error.message, says);
    assert.match(error.fix, /teacher\.guidanceScale=1$/);
    assert.ok(teacher(1, data), "without guidance it is fine");
  };
  refused({ text: { shape: [1, 1], dtype: "f32" } }, /the data have no text that stands for none/);
  refused({}, /neither texts nor classes/);
  refused(classLabel(3), /never seen a sample without its class/);
});

test("a network trained to do without classes can be guided", () => {
  const images = { sample: [1, 8, 8], condition: classLabel(3), sigmaData: 0.5 };
  const network = (labelDropout: number) =>
    adm({ channels: 8, channelMult: [1], blocks: 1, attention: [], labelDropout });
  const make = (dropout: number) => () => compose(images, network(dropout), guided({ guidanceScale: 2 })).get(TEACHER);
  assert.ok(make(0.1)());
  assert.is(thrown(make(0)).code, "E_OPTION");
});

test.run();
