import { cosines, meanClipScore } from "../../../plugins/metrics/shared/cosines.ts";
import { featureStatistics, frechetDistance } from "../../../plugins/metrics/shared/frechet.ts";
import { inceptionScores } from "../../../plugins/metrics/shared/inceptionScore.ts";
import { type FeatureRows, kernelDistances } from "../../../plugins/metrics/shared/kernelDistance.ts";
import { neighbourScores, squaredRadii } from "../../../plugins/metrics/shared/neighbours.ts";
import type { GoldenCase } from "../goldenCase.ts";
import type { Job, Kind } from "../kind.ts";
import { ignore } from "../settings.ts";

/** Runs `frechet_distance`: moments and distances of feature sets, rank-deficient ones too. */
export const frechetKind: Kind = {
  name: "frechet",
  matches: ({ file }) => file.startsWith("frechet_distance"),
  run: runFrechet,
};

async function runFrechet({ reference, check, each }: Job): Promise<void> {
  await each(async (sub) => {
    const given = (name: string) => reference.f32(`${sub.id}.in.${name}`);
    const out = (name: string) => `${sub.id}.f64.out.${name}`;
    ignore(sub, "kind", "n_x", "n_y", "fd_oracle", "fd_pytorch_fid", "atol");
    const x = await featureStatistics(given("x"), sub.d);
    const y = await featureStatistics(given("y"), sub.d);
    check(x.mean, out("mu_x"));
    check(x.covariance, out("sigma_x"));
    check([await frechetDistance(x, y)], out("fd_oracle"));
    check([await frechetDistance(x, y)], out("fd_pytorch_fid"));
    const official = await featureStatistics(given("x"), sub.d, { sumStartsAtOnes: true });
    check([await frechetDistance(official, y)], out("fd_dmd2_edm"));
  });
}

/** Runs `kid`: the kernel distance on stored subsets. */
export const kernelDistanceKind: Kind = {
  name: "kernel-distance",
  matches: ({ file }) => file.startsWith("kid"),
  run: runKernelDistance,
};

async function runKernelDistance({ reference, check, each }: Job): Promise<void> {
  await each((sub) => {
    const { subset_size: size, num_subsets: subsets } = sub;
    ignore(sub, "kid");
    const [x, y] = ["x", "y"].map((name) => rowsOf(reference, `${sub.id}.in.${name}`));
    const indices = (name: string) => reference.i32(`${sub.id}.int.idx_${name}`);
    const pairs = Array.from({ length: subsets }, (_, i) => ({
      x: indices("x").subarray(i * size, (i + 1) * size),
      y: indices("y").subarray(i * size, (i + 1) * size),
    }));
    const distances = kernelDistances(x, y, pairs);
    check([mean(distances)], `${sub.id}.f64.out.kid`);
  });
}

/** Runs `precision_recall`: balls around the nearest neighbours. */
export const neighboursKind: Kind = {
  name: "neighbours",
  matches: ({ file }) => file.startsWith("precision_recall"),
  run: runNeighbours,
};

async function runNeighbours({ reference, check, each }: Job): Promise<void> {
  await each((sub) => {
    const [real, generated] = ["real", "fake"].map((name) => rowsOf(reference, `${sub.id}.in.${name}`));
    ignore(sub, "precision", "recall", "density", "coverage");
    check(squaredRadii(real, sub.k).map(Math.sqrt), `${sub.id}.out.radius_real`);
    check(squaredRadii(generated, sub.k).map(Math.sqrt), `${sub.id}.out.radius_fake`);
    const scores = neighbourScores(real, generated, sub.k);
    for (const [name, score] of Object.entries(scores)) check([score], `${sub.id}.f64.out.${name}`);
  });
}

/** Runs `inception_score_clip_score`: the score of logits by splits, and of embeddings of images and texts. */
export const inceptionScoreKind: Kind = {
  name: "inception-score",
  matches: ({ file }) => file.startsWith("inception_score"),
  run: async ({ reference, check }) => {
    const { data, D } = rowsOf(reference, "in.logits");
    const scores = inceptionScores(data, D, reference.config.splits);
    check(scores, "f64.out.is_splits");
    const centre = mean(scores);
    check([centre, Math.sqrt(mean(scores.map((score) => (score - centre) ** 2)))], "f64.out.is_mean_std");
    const angles = cosines(rowsOf(reference, "in.image_embeds"), rowsOf(reference, "in.text_embeds"));
    check(angles, "f64.out.cos");
    check([meanClipScore(angles)], "f64.out.clip_score");
  },
};

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function rowsOf(reference: GoldenCase, name: string): FeatureRows {
  return { data: reference.f32(name), D: reference.shape(name)[1] };
}
