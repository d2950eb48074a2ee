export { mergeConfig } from "../plugin/mod.ts";
export type { GivenDraws } from "./batch/givenDraws.ts";
export { checkCounts } from "./config/checkPlugins.ts";
export {
  type JudgeConfig,
  type Recipe,
  type ResolvedConfig,
  type RunConfig,
  resolveConfig,
  resolveJudges,
  type Use,
} from "./config/config.ts";
export { configSchema } from "./config/schema.ts";
export type { RunSettings, TrainSettings } from "./config/trainOptions.ts";
export { openBase } from "./files/baseWeights.ts";
export { loadCheckpoint, type Manifest, type StateSource, saveCheckpoint } from "./files/checkpoint.ts";
export { type TeacherConfig, teacherFingerprint } from "./files/fingerprint.ts";
export { type RunFolder, runFolder } from "./files/runFolder.ts";
export { OpenedWeights, type OpenWeights, type StartFiles } from "./files/startWeights.ts";
export { decodeWeights, encodeWeights, parseWeightsInfo, readWeights, type WeightsInfo } from "./files/weightsFile.ts";
export { type Changes, type HealthEased, type HealthWarning, Watchers } from "./health/warnings.ts";
export { EventBus } from "./loop/bus.ts";
export { type Command, Control } from "./loop/control.ts";
export * from "./loop/events.ts";
export { schedule, type TurnAt } from "./loop/schedule.ts";
export { isCommon, Ranks, rankName } from "./ranks/ranks.ts";
export { composeRun, composeSampling, provideShape } from "./run/compose.ts";
export { checkCapacity, planRun, type RunPlan, type StagePlan, withHint } from "./run/planRun.ts";
export { type DumpedValue, type Replay, type ReplayedUpdate, type ReplayRequest, replayStep } from "./run/replay.ts";
export type { RunRequest } from "./run/request.ts";
export { Run, type RunResult } from "./run/run.ts";
export { CHECKPOINT } from "./run/saver.ts";
export { EVALUATION_SEED, Evaluation, type Judgement, judgeSamples, samplerOf } from "./sampling/evaluation.ts";
export { drawPairs, type PairDraw } from "./sampling/pairs.ts";
export { SAMPLES } from "./sampling/previews.ts";
export { type Drawn, type DrawRequest, drawBatch, SampleDrawer } from "./sampling/sampleDrawer.ts";
export {
  type SamplerStates,
  samplerStates,
  type TracedRule,
  traceRule,
} from "./sampling/samplerProgram.ts";
export { type DiagnosisProgram, diagnosisProgram } from "./update/diagnosis.ts";
export { Divergence, type LeftOut, leftOutText } from "./update/leftOut.ts";
export { type NamedTensors, Player } from "./update/player.ts";
export { Trainer } from "./update/trainer.ts";
export { type TurnProgram, turnProgram } from "./update/turnProgram.ts";
