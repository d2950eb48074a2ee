export { EventBus } from "./bus.ts";
export { loadCheckpoint, type Manifest, saveCheckpoint } from "./checkpoint.ts";
export { composeRun, composeSampling } from "./compose.ts";
export {
  mergeConfig,
  type ResolvedConfig,
  type RunConfig,
  resolveConfig,
  settingOverlay,
  type Use,
} from "./config.ts";
export { type Command, Control } from "./control.ts";
export { type DiagnosisProgram, diagnosisProgram, imageGradientName } from "./diagnosis.ts";
export { Evaluation, type Judgement } from "./evaluation.ts";
export * from "./events.ts";
export { type TeacherConfig, teacherFingerprint } from "./fingerprint.ts";
export type { GivenDraws } from "./givenDraws.ts";
export { drawPairs, type PairDraw } from "./pairs.ts";
export { decodePairs, encodePairs, type Pairs, type PairsInfo } from "./pairsFile.ts";
export { type PhaseProgram, phaseProgram } from "./phaseProgram.ts";
export { checkCapacity, planRun, type RunPlan, type StagePlan } from "./planRun.ts";
export { type NamedTensors, Player } from "./player.ts";
export { Run, type RunRequest, type RunResult } from "./run.ts";
export { type RunFolder, runFolder } from "./runFolder.ts";
export { type SamplerStates, samplerStates, type TracedRule, traceRule } from "./samplerProgram.ts";
export { type Drawn, type DrawRequest, drawBatch, SampleDrawer } from "./sampling.ts";
export { alternating, type Phase, phasesAt, schedule, type Ttur, teacherOnly } from "./schedule.ts";
export type { StartFiles } from "./startWeights.ts";
export { type Stage, Trainer, type TrainSettings } from "./trainer.ts";
export { decodeWeights, encodeWeights, type WeightsInfo } from "./weightsFile.ts";
