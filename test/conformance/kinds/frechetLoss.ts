import {
  enqueued,
  frechetOfFeatures,
  frechetOfMoments,
  momentsFrom,
  momentsOf,
  nextMoments,
  type ReferenceMoments,
  referenceMoments,
} from "../../../plugins/losses/shared/frechetLoss.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { only, type Settings } from "../settings.ts";

/** The Fréchet distance as a loss: of a batch, of a queue that it joins, of running moments. */
export const frechetLossKind: Kind = {
  name: "FD-loss",
  matches: ({ file }) => /^fd_loss/.test(file),
  run: (job) => job.each((sub) => runLoss(job, sub)),
};

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const { mode } = settings;
  if (!Object.hasOwn(modes, mode)) throw new Unsupported(`no mode ${mode}`);
  const scene = new RivalScene(job, settings.id);
  const of = (name: string) => job.reference.f64(`${scene.id}.in.${name}`);
  const features = scene.tensor("in.feats");
  only(settings, "n", features.shape[0]);
  // Their two ways to the trace agree in exact arithmetic; ours has no such choice.
  only(settings, "use_sqrt", true, false);
  const distance = modes[mode as keyof typeof modes](scene, referenceMoments(of("mu_ref"), of("sigma_ref")), settings);
  scene.output("fd", distance);
  scene.gradient(distance, "in.feats", features);
  await scene.check(job);
}

const modes = {
  batch(scene: RivalScene, reference: ReferenceMoments) {
    const features = scene.tensor("in.feats");
    const { mean, covariance } = momentsOf(features);
    scene.output("mu", mean);
    scene.output("sigma", covariance);
    return frechetOfFeatures(features, reference);
  },
  queue(scene: RivalScene, reference: ReferenceMoments, settings: Settings) {
    const [features, queue] = [scene.tensor("in.feats"), scene.tensor("in.queue")];
    const [[B], [size]] = [features.shape, queue.shape];
    only(settings, "size", size);
    const [place] = scene.indices("int.ptr");
    only(settings, "ptr", place);
    if (B > size) throw new Unsupported(`no queue of ${size} rows for ${B} samples`);
    const next = enqueued(queue, place, features);
    const { mean, covariance } = momentsOf(next);
    scene.output("mu", mean);
    scene.output("sigma", covariance);
    scene.output("queue_after", next);
    scene.output("ptr_after", [(place + B) % size]);
    return frechetOfFeatures(next, reference);
  },
  ema(scene: RivalScene, reference: ReferenceMoments, settings: Settings) {
    const kept = { mean: scene.tensor("in.mu_ema"), second: scene.tensor("in.m2_ema") };
    const next = nextMoments(kept, scene.tensor("in.feats"), settings.beta);
    const moments = momentsFrom(next);
    scene.output("mu", moments.mean);
    scene.output("sigma", moments.covariance);
    scene.output("mu_ema_after", next.mean);
    scene.output("m2_ema_after", next.second);
    return frechetOfMoments(moments, reference);
  },
};
