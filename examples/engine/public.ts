/** What both doors of the engine have in common. */
export type { TrainEvent } from "../../core/train/loop/events.ts";
export type { BareOptions, DeviceName, EngineOptions } from "./createBareEngine.ts";
export type { Engine } from "./engine.ts";
export type { EvaluateRequest } from "./evaluate.ts";
export type { LoadOptions } from "./load.ts";
export type { Model } from "./model.ts";
export type { MethodRoles, MetricName, MetricValues, RoleName } from "./names.ts";
export { type DeviceOptions, openDevice } from "./openDevice.ts";
export type { Pixels } from "./pictures.ts";
export type { Sampled, SampleRequest } from "./sampleRequest.ts";
export type { Judged, Trained, Training, TrainOptions } from "./training.ts";
