import type { Kind } from "../kind.ts";
import { ablationSamplerKind } from "./ablationSampler.ts";
import { autoencoderKlKind, autoencoderTinyKind } from "./autoencoders.ts";
import { checkpointsKind } from "./checkpoints.ts";
import { clipTextKind, clipVisionKind, sdxlTextKind } from "./clip.ts";
import { clipTokenizerKind } from "./clipTokenizer.ts";
import { consistencyLossesKind } from "./consistencyLosses.ts";
import { consistencySamplersKind } from "./consistencySamplers.ts";
import { consistencySchedulesKind } from "./consistencySchedules.ts";
import { consistencyTrainingKind } from "./consistencyTraining.ts";
import { decoupledDmdKind } from "./decoupledDmd.ts";
import { diffusersSamplersKind } from "./diffusersSamplers.ts";
import { dmdKind } from "./dmd.ts";
import { dmdTrajectoryKind } from "./dmdTrajectory.ts";
import { dpDmdKind } from "./dpDmd.ts";
import { easyConsistencyKind, truncatedConsistencyKind } from "./easyConsistency.ts";
import { edmLossKind } from "./edmLoss.ts";
import { edmNetworksKind } from "./edmNetworks.ts";
import { edmSamplerKind } from "./edmSampler.ts";
import { emaKind } from "./ema.ts";
import { fastgenLaddKind } from "./fastgenLadd.ts";
import { fastgenDmd2Kind, fastgenFDistillKind } from "./fastgenMatching.ts";
import { fastgenSamplersKind } from "./fastgenSamplers.ts";
import { fastgenSchedulesKind } from "./fastgenSchedules.ts";
import { fastgenTrajectoryKind } from "./fastgenTrajectory.ts";
import { frechetLossKind } from "./frechetLoss.ts";
import { inceptionKind } from "./inception.ts";
import { kDiffusionKind } from "./kDiffusion.ts";
import { knowledgeDistillationKind } from "./knowledgeDistillation.ts";
import { lcmKind } from "./lcm.ts";
import { lpipsKind } from "./lpips.ts";
import { meanFlowKind } from "./meanFlow.ts";
import { opsKind } from "./ops.ts";
import { optimizersKind } from "./optimizers.ts";
import { progressiveVpKind } from "./progressiveVp.ts";
import { rectifiedFlowKind } from "./rectifiedFlow.ts";
import { cleanfidResizeKind, pilResizeKind } from "./resizing.ts";
import { addNoiseKind, scheduleTablesKind } from "./schedules.ts";
import { scmKind } from "./scm.ts";
import { scoreIdentityKind } from "./scoreIdentity.ts";
import { frechetKind, inceptionScoreKind, kernelDistanceKind, neighboursKind } from "./scores.ts";
import { timestepEmbeddingsKind } from "./timestepEmbeddings.ts";
import { tractKind } from "./tract.ts";
import { trajectoryConsistencyKind } from "./trajectoryConsistency.ts";
import { trajectorySamplerKind } from "./trajectorySampler.ts";
import { unet2dKind } from "./unet2d.ts";

/** Every kind of case that can be run; the first that matches is taken. */
export const kinds: readonly Kind[] = [
  opsKind,
  optimizersKind,
  emaKind,
  dmdTrajectoryKind,
  dmdKind,
  edmNetworksKind,
  edmLossKind,
  timestepEmbeddingsKind,
  unet2dKind,
  scheduleTablesKind,
  addNoiseKind,
  diffusersSamplersKind,
  edmSamplerKind,
  ablationSamplerKind,
  kDiffusionKind,
  lpipsKind,
  consistencyLossesKind,
  consistencySamplersKind,
  consistencySchedulesKind,
  consistencyTrainingKind,
  easyConsistencyKind,
  truncatedConsistencyKind,
  trajectoryConsistencyKind,
  trajectorySamplerKind,
  fastgenSchedulesKind,
  fastgenSamplersKind,
  progressiveVpKind,
  tractKind,
  rectifiedFlowKind,
  meanFlowKind,
  scmKind,
  knowledgeDistillationKind,
  lcmKind,
  fastgenDmd2Kind,
  fastgenFDistillKind,
  fastgenLaddKind,
  fastgenTrajectoryKind,
  scoreIdentityKind,
  decoupledDmdKind,
  dpDmdKind,
  frechetLossKind,
  pilResizeKind,
  cleanfidResizeKind,
  frechetKind,
  kernelDistanceKind,
  neighboursKind,
  inceptionScoreKind,
  inceptionKind,
  clipTextKind,
  clipVisionKind,
  sdxlTextKind,
  autoencoderKlKind,
  autoencoderTinyKind,
  clipTokenizerKind,
  checkpointsKind,
];
