import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { sigmaGrid } from "../../../core/diffusion/mod.ts";
import { halfLifeBeta, powerBeta } from "../../../core/optim/mod.ts";
import { growingRatio } from "../../../plugins/losses/shared/curriculum.ts";
import { pairBelow } from "../../../plugins/losses/shared/easyConsistency.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { only, type Settings } from "../settings.ts";
import { fastgenLevels } from "./easyConsistency.ts";

/** ECT's ratio, the lower level of a pair, the table of levels, how levels are drawn, and averages, of FastGen. */
export const fastgenSchedulesKind: Kind = {
  name: "FastGen schedules",
  matches: ({ file }) => /^fastgen_schedules/.test(file),
  async run(job) {
    const { reference, check } = job;
    await job.each((sub) => {
      if (sub.ema) checkAverage(job, sub);
      else if (sub.time_dist_type !== undefined) checkLevels(job, sub);
      else checkRatio(job, sub);
    });
    if (reference.has("edm.sigmas")) {
      const count = reference.shape("edm.sigmas")[0];
      check(sigmaGrid(count, { sigmaMin: 0.002, sigmaMax: 80 }), "edm.sigmas");
    }
    if (reference.has("r.out")) await checkPairs(job);
  },
};

const iterations = ({ reference }: Job, sub: Settings): number[] => [...reference.i32(`${sub.id}.int.iteration`)];

function checkRatio(job: Job, sub: Settings): void {
  const options = { factor: sub.q, limit: sub.ratio_limit, each: 1000 * sub.kimg_per_stage };
  const ratios = iterations(job, sub).map((iteration) => growingRatio(iteration * sub.batch_size, options));
  job.check(ratios, `${sub.id}.out.ratio`);
}

function checkAverage(job: Job, sub: Settings): void {
  const betas = iterations(job, sub).map((iteration) => {
    // Their first update is number 1.
    if (only(sub, "type", "power", "halflife") === "power") return powerBeta(iteration - 1, sub.gamma);
    const rampUp = sub.ema_rampup_ratio ?? undefined;
    return halfLifeBeta(iteration, sub.batch_size, { emaHalfLife: 1000 * sub.ema_halflife_kimg, rampUp });
  });
  job.check(betas, `${sub.id}.out.beta`);
}

/** Bounds of times of a rectified flow, where the case does not say them. */
const TIMES = { low: 0.001, high: 0.999 };

function checkLevels(job: Job, sub: Settings): void {
  const scene = new RivalScene(job, sub.id);
  const { min_t: low = TIMES.low, max_t: high = TIMES.high } = sub;
  const kind: string = sub.time_dist_type;
  const made = {
    shifted: () =>
      [...scene.numbers("rand.u")].map((u) => {
        const time = u * (high - low) + low;
        return (sub.shift * time) / (1 + (sub.shift - 1) * time);
      }),
    logitnormal: () =>
      [...scene.numbers("rand.n")].map(
        (n) => (high - low) / (1 + Math.exp(-(n * sub.train_p_std + sub.train_p_mean))) + low,
      ),
  };
  if (only(sub, "schedule", "edm", "rf") === "edm") job.check(fastgenLevels(scene, sub, 0.002), `${sub.id}.out.t`);
  else if (!Object.hasOwn(made, kind)) throw new Unsupported(`no times ${kind}`);
  else job.check(made[kind as keyof typeof made](), `${sub.id}.out.t`);
}

/** All ratios over all levels, in double precision as theirs. */
async function checkPairs({ reference, check }: Job): Promise<void> {
  const oracle = new ReferenceBackend("f64");
  const levels = reference.f64("r.in.t");
  const floor = reference.config.r_min_r;
  const rows: number[] = [];
  for (const ratio of reference.f64("r.ratios")) {
    const feed = new Feed();
    const sigma = feed.tensor("t", [levels.length], levels);
    Object.assign(feed.values, { t: levels });
    rows.push(...(await evaluateOn(oracle, { next: pairBelow(sigma, { ratio, floor }).next }, feed)).next);
  }
  check(rows, "r.out");
}
