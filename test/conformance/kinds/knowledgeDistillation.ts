import { mean, reshape, slice } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { pathPointLosses } from "../../../plugins/losses/shared/pathPoints.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { type Call, RivalScene, watchedDenoiser } from "../rivalScene.ts";
import { only, type Settings } from "../settings.ts";

const SIGMA_DATA = 0.5;
/** Where a generator of one step begins. */
const SIGMA_MAX = 80;
/** States that a stored path has. */
const STORED = 4;

/** FastGen's knowledge distillation, from stored noise or from states of a stored path. */
export const knowledgeDistillationKind: Kind = {
  name: "knowledge distillation",
  matches: ({ file }) => /^fastgen_kd/.test(file),
  run: (job) => job.each((sub) => runLoss(job, sub)),
};

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const { student_sample_steps: steps, t_list: levels } = settings;
  const scene = new RivalScene(job, settings.id);
  const y = scene.tensor("in.real");
  const calls: Call[] = [];
  const source = only(settings, "use", "noise", "path") ?? "path";
  const losses = pathPointLosses(
    { ...pointsOf(scene, steps, levels, source), y, condition: scene.condition("in.cond") },
    watchedDenoiser(scene.edm("student", SIGMA_DATA), calls),
    sampleDistances.l2,
  );
  const loss = mean(losses);
  scene.output("gen_data", calls[0].out);
  scene.output("total_loss", loss);
  scene.gradient(loss, "gen_data", calls[0].out);
  scene.gradients(loss, "student");
  await scene.check(job);
}

function pointsOf(scene: RivalScene, steps: number, levels: readonly number[] | null, source: string) {
  if (steps === 1) {
    const point = source === "noise" ? scene.tensor("in.noise") : stateOf(scene.tensor("in.path"), 0);
    return { points: [point], levels: [SIGMA_MAX] };
  }
  if (source !== "path") throw new Unsupported(`no ${steps} steps from noise alone`);
  if (levels?.length !== steps + 1 || levels[steps] !== 0)
    throw new Unsupported(`no t_list ${JSON.stringify(levels)} of ${steps} steps`);
  const path = scene.tensor("in.path");
  if (path.shape[1] !== STORED || steps > STORED)
    throw new Unsupported(`no ${steps} steps on a path of ${path.shape[1]} states`);
  const { label: index } = scene.feed.label(`${scene.prefix}rand.t_ids`, scene.indices("rand.t_ids"));
  const stride = Math.floor(STORED / steps);
  return {
    points: levels.slice(0, -1).map((_, i) => stateOf(path, i * stride)),
    levels: levels.slice(0, -1),
    index,
  };
}

/** State i of a path [B, states, …] → [B, …]. */
function stateOf(path: Tensor, i: number): Tensor {
  const [B, , ...sample] = path.shape;
  return reshape(slice(path, { axis: 1, start: i, end: i + 1 }), [B, ...sample]);
}
