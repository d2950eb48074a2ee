import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { adaptiveBeta, ema, growingIntervals } from "../../../core/optim/mod.ts";
import { halvedSteps } from "../../../plugins/losses/shared/curriculum.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import type { Settings } from "../settings.ts";

/** The number of levels and the average's β as functions of the update, and the average itself. */
export const consistencySchedulesKind: Kind = {
  name: "consistency schedules",
  matches: ({ file }) => /^cm_schedules/.test(file),
  async run(job) {
    const { reference, check } = job;
    await job.each((sub) => {
      const made = [...reference.i32(`${sub.id}.int.steps`)].map((step) => scheduleAt(step, sub));
      check(
        made.map(({ beta }) => beta),
        `${sub.id}.out.ema`,
      );
      check(
        made.map(({ levels }) => levels),
        `${sub.id}.int_out.scales`,
      );
    });
    if (reference.has("ema.out")) await checkAverage(job);
  },
};

/** β, and how many levels a loss is given. */
export function scheduleAt(step: number, sub: Settings): { beta: number; levels: number } {
  const { target_ema_mode: target, scale_mode: scale, start_ema: start } = sub;
  const { start_scales: first, end_scales: last, total_steps: updates } = sub;
  const each = sub.distill_steps_per_iter;
  if (target === "fixed" && scale === "fixed") return { beta: start, levels: first };
  if (target === "fixed" && scale === "progdist") return { beta: 1, levels: halvedSteps(step, first, each) };
  if (scale !== "progressive" || (target !== "fixed" && target !== "adaptive"))
    throw new Unsupported(`no average ${target} with levels ${scale}`);
  const intervals = growingIntervals(step, { first, last, updates });
  const beta = target === "fixed" ? start : adaptiveBeta(start, first, intervals);
  return { beta, levels: intervals + 1 };
}

/** One average in float64, which the case has: the product's formula on the oracle, inputs as precise. */
async function checkAverage({ reference, check }: Job): Promise<void> {
  const feed = new Feed();
  const given = (name: string) => {
    Object.assign(feed.values, { [name]: reference.f64(name) });
    return input(name, reference.shape(name));
  };
  const out = ema(given("ema.in.target"), given("ema.in.source"), reference.config.ema_rate);
  const result = await evaluateOn(new ReferenceBackend("f64"), { out }, feed);
  check(result.out, "ema.out");
}
