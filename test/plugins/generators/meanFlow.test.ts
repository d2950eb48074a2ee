import { suite } from "uvu";
import * as assert from "uvu/assert";
import { levelTold } from "../../../core/diffusion/mod.ts";
import { GENERATOR, PROCESS, SAMPLER, TEACHER } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { constant } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { meanFlowGenerator } from "../../../plugins/generators/meanFlow.ts";
import { scmGenerator } from "../../../plugins/generators/scm.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { rectifiedFlow } from "../../../plugins/processes/rectifiedFlow.ts";
import { meanFlowSampler } from "../../../plugins/samplers/meanFlow.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { trace } from "../samplers/run.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/generators/meanFlow");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
const net = mlp({ width: 6, depth: 2 });
const namesOf = (role: { declare: Parameters<typeof layoutOf>[0] }) =>
  layoutOf((scope) => role.declare(scope)).entries.map(({ name }) => name);

test("generators of MeanFlow and sCM are well-formed plugins", () => {
  checkPlugin(meanFlowGenerator, { sigmas: [999, 1] });
  checkPlugin(scmGenerator, { sigmas: [80, 1.1] });
});

test("has the teacher's parameters, and those by which it is told an end; of sCM, those of its log-variance", () => {
  const taught = namesOf(compose(shape, net, edm()).get(TEACHER));
  const added = (generator: typeof meanFlowGenerator | typeof scmGenerator) =>
    namesOf(compose(shape, net, generator()).get(GENERATOR)).filter((name) => !taught.includes(name));
  assert.equal(added(meanFlowGenerator), ["end.0.weight", "end.0.bias", "end.2.weight", "end.2.bias"]);
  assert.equal(added(scmGenerator), ["logvar.weight", "logvar.bias"]);
});

test("levels are told as the process tells its own", async () => {
  const told = (...plugins: Parameters<typeof compose>[1][]) =>
    levelTold(compose(shape, net, ...plugins).get(PROCESS), constant(3, "f32", [1]));
  const { edms, flows } = await evaluate({ edms: told(), flows: told(rectifiedFlow()) }, new Feed(), "f64");
  assert.ok(Math.abs(edms[0] - Math.log(3) / 4) < 1e-6);
  assert.ok(Math.abs(flows[0] - 750) < 1e-3);
});

test("a step to the sample is its answer; steps on the way are Euler's, told where they end", async () => {
  const container = compose(shape, net, meanFlowGenerator({ sigmas: [10] }), meanFlowSampler({ sigmas: [10, 1] }));
  const [generator, sampler] = [container.get(GENERATOR), container.get(SAMPLER)];
  const feed = new Feed();
  const { scope } = feed.weights("w.", (_, own) => numbers(own));
  const model = generator.bind(scope);
  const x = feed.tensor("x", [3, 2], numbers([6]));
  const once = compose(shape, net, meanFlowSampler({ sigmas: [10] })).get(SAMPLER);
  const { x: jumped } = trace(once, model, x, () => x);
  const { x: stepped, nfe } = trace(sampler, model, x, () => x);
  const answer = model.denoise(x, constant(10, "f32", [3]), {});
  const halfway = model.denoise(x, constant(10, "f32", [3]), { end: constant(0, "f32", [3]) }); // ¼ ln 1
  const result = await evaluate({ jumped, answer, halfway, stepped }, feed, "f64");
  assert.is(nfe, 2);
  assert.equal(result.jumped, result.answer);
  assert.ok(result.halfway.some((each, i) => Math.abs(each - result.answer[i]) > 1e-3));
  assert.ok(result.stepped.some((each, i) => Math.abs(each - result.answer[i]) > 1e-3));
});

test.run();
