import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { failure, OnestepError } from "../../../../core/errors.ts";
import {
  BACKEND,
  CRITIC,
  DATA_FOLDER,
  DATA_SHAPE,
  DATASET,
  DATASET_SOURCE,
  GENERATOR,
  LOSSES,
  NETWORK,
  SAMPLER,
  TEACHER,
} from "../../../../core/interfaces/mod.ts";
import { definePlugin } from "../../../../core/plugin/mod.ts";
import { composeRun, composeSampling } from "../../../../core/train/mod.ts";
import { tinyConfig } from "../support.ts";

const test = suite("core/train/compose");

test("composeRun: a container with device, loaded data and every plugin", async () => {
  const backend = new ReferenceBackend();
  const container = await composeRun(tinyConfig().plugins, backend, { path: "data" });
  assert.is(container.get(BACKEND), backend);
  assert.equal(container.get(DATA_FOLDER), { path: "data" });
  assert.equal(container.get(DATA_SHAPE), container.get(DATASET).shape);
  assert.equal(
    container.all(LOSSES).map(({ name }) => name),
    Object.keys(tinyConfig().config.losses),
  );
});

test("composeRun: rejects with the fault of the data", async () => {
  const missing = definePlugin({
    name: "missing",
    kind: "dataset",
    token: DATASET_SOURCE,
    about: "Data that are not there",
    options: {},
    create: () => Promise.reject(failure("E_DATA", "Cannot read data: there are none")),
  });
  const plugins = [missing(), ...tinyConfig().plugins.filter(({ kind }) => kind !== "dataset")];
  const error = await composeRun(plugins, new ReferenceBackend(), {}).catch((reason) => reason);
  assert.instance(error, OnestepError);
  assert.is(error.code, "E_DATA");
});

test("composeSampling: what sampling needs, and no data", () => {
  const shape = { sample: [2], classes: 0, sigmaData: 0.7 };
  const container = composeSampling(tinyConfig().plugins, new ReferenceBackend(), shape);
  for (const token of [NETWORK, TEACHER, GENERATOR, SAMPLER])
    assert.ok(container.get<unknown>(token));
  assert.is(container.get(DATA_SHAPE), shape);
  for (const token of [DATASET, DATASET_SOURCE, CRITIC, LOSSES])
    assert.not(container.has<unknown>(token), token.name);
});

test.run();
