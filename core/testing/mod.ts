/** onestep/testing: what the tests of a plugin lean on, with any test runner. */
export { checkPlugin } from "./checkPlugin.ts";
export { compose } from "./compose.ts";
export { type Devices, PARITY } from "./devices.ts";
export { GRADIENT } from "./differences.ts";
export { evaluateOn } from "./evaluateOn.ts";
export { Feed, type Numbers, Weights } from "./feed.ts";
export { GivenNoise } from "./givenNoise.ts";
export type { LossTest } from "./lossScene.ts";
export { type DatasetTest, testDataset } from "./testDataset.ts";
export { testLoss } from "./testLoss.ts";
export { DIVISION, type MetricTest, testMetric } from "./testMetric.ts";
export { type NetworkTest, testNetwork } from "./testNetwork.ts";
export { BIAS, type SamplerTest, testSampler } from "./testSampler.ts";
