import { OPTIMIZERS, type Optimizer } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { distributionMatching } from "../../../plugins/losses/distributionMatching.ts";
import { fakeScoreLoss } from "../../../plugins/losses/fakeScore.ts";
import { ganDiscriminator } from "../../../plugins/losses/ganDiscriminator.ts";
import { ganGenerator } from "../../../plugins/losses/ganGenerator.ts";
import { tturCycle } from "../../../plugins/methods/dmd2.ts";
import { adamw } from "../../../plugins/optimizers/adamw.ts";
import { FastgenScene, GAME } from "../fastgenScene.ts";
import { compose, evaluateOn } from "../feed.ts";
import { GoldenCase, type ManifestCase } from "../goldenCase.ts";
import type { Job, Kind } from "../kind.ts";
import { ignore } from "../settings.ts";

/** FastGen's DMD2 from iteration to iteration: its losses, and the weights after some of them. */
export const fastgenTrajectoryKind: Kind = {
  name: "FastGen's DMD2, trained",
  matches: ({ file }) => /^fastgen_dmd2_traj/.test(file),
  run: runTrajectory,
};

/** A network while it is trained: its weights and moments, and the updates it has had. */
interface Learner {
  readonly weights: Record<string, Float32Array>;
  readonly moments: Record<string, Float32Array>;
  updates: number;
}

async function runTrajectory(job: Job): Promise<void> {
  const { reference, backend, check } = job;
  const { config } = reference;
  ignore(config, "cases"); // none: the file is one run
  const start = (net: string): Learner => {
    const names = reference.names(`w.${net}.`).map((name) => [name.slice(`w.${net}.`.length), reference.f32(name)]);
    return { weights: Object.fromEntries(names), moments: {}, updates: 0 };
  };
  const nets: Record<string, Learner> = { student: start("teacher"), fake: start("teacher"), disc: start("disc") };
  const options = { lr: config.lr, weightDecay: config.weight_decay, clip: 0 };
  const [optimizer] = compose({ sample: [1], condition: {}, sigmaData: 1 }, adamw(options)).all(OPTIMIZERS);
  const cycle = tturCycle({ critic: config.student_update_freq - 1, generator: 1, exclusive: true, first: "critic" });
  for (let it = 1; it <= config.iterations; it++) {
    const scene = new FastgenScene({ ...job, reference: atIteration(reference, it, nets) }, settingsAt(config));
    const [{ role }] = cycle[(it - 1) % cycle.length];
    const found = role === "generator" ? studentLosses(scene, config.gan_loss_weight_gen) : criticLosses(scene);
    const outputs: Record<string, Tensor> = {};
    for (const [name, value] of Object.entries(found))
      if (reference.has(`out.it${it}.${name}`)) outputs[`out.it${it}.${name}`] = value;
    const learners = role === "generator" ? ["student"] : ["fake", "disc"];
    for (const net of learners) Object.assign(outputs, updated(scene, found.total_loss, net, nets[net], optimizer));
    const values = await evaluateOn(backend, outputs, scene.feed);
    for (const [name, value] of Object.entries(values)) {
      const [kind, net, parameter] = name.split(" ");
      if (parameter === undefined) check(value, name);
      else if (kind === "weights") nets[net].weights[parameter] = value;
      else nets[net].moments[`${kind} ${parameter}`] = value;
    }
    for (const net of learners) nets[net].updates++;
    for (const [net, { weights }] of Object.entries(nets))
      for (const [parameter, value] of Object.entries(weights)) {
        const name = `out.after.it${it}.${net}.${parameter}`;
        if (reference.has(name)) check(value, name);
      }
  }
}

const settingsAt = ({ guidance_scale }: { guidance_scale: number | null }) => ({
  id: "it",
  sample_t: { time_dist_type: "polynomial" },
  guidance_scale,
});

/** The tensors of one iteration under the names of a sub-case, with the weights as they are. */
function atIteration(reference: GoldenCase, it: number, nets: Readonly<Record<string, Learner>>): GoldenCase {
  const tensors: Record<string, GoldenCase["tensors"][string]> = {};
  for (const name of reference.names()) {
    const named = new RegExp(`^(in|rand)\\.it${it}\\.(.*)$`).exec(name);
    if (named) tensors[`it.${named[1]}.${named[2]}`] = reference.tensor(name);
    if (/^w\.(teacher|disc)\./.test(name)) tensors[name] = reference.tensor(name);
  }
  const { shape } = tensors["it.in.cond"];
  // The negative condition is all zeros.
  tensors["it.in.neg"] = { dtype: "F32", shape, data: new Float32Array(shape[0] * shape[1]) };
  for (const [net, { weights }] of Object.entries(nets))
    for (const [parameter, data] of Object.entries(weights)) {
      const like = reference.tensor(`w.${net === "disc" ? "disc" : "teacher"}.${parameter}`);
      tensors[`w.${net}.${parameter}`] = { dtype: "F32", shape: like.shape, data };
    }
  const manifest = { config: {}, rtol: 0, tensors: {} } as unknown as ManifestCase;
  return new GoldenCase(reference.name, manifest, tensors);
}

function studentLosses(scene: FastgenScene, weight: number): Readonly<Record<string, Tensor>> & { total_loss: Tensor } {
  const turn = { noise: scene.draws(["eps", "t_idx"]), shared: {} };
  const vsd_loss = scene.compute(distributionMatching({ epsilon: 1e-6 }), turn);
  const gan_loss_gen = scene.compute(ganGenerator(GAME), turn);
  return { vsd_loss, gan_loss_gen, total_loss: add(vsd_loss, mul(gan_loss_gen, weight)) };
}

function criticLosses(scene: FastgenScene): Readonly<Record<string, Tensor>> & { total_loss: Tensor } {
  const turn = { noise: scene.draws(["eps", "t_idx"], ["eps_real", "t_real_idx"]), shared: {} };
  const fake_score_loss = scene.compute(fakeScoreLoss({ target: "x0" }), turn);
  const gan_loss_disc = scene.compute(ganDiscriminator(GAME), turn);
  return { fake_score_loss, gan_loss_disc, total_loss: add(fake_score_loss, gan_loss_disc) };
}

/** New weights and moments of a network, each named "weights NET PARAMETER". */
function updated(
  scene: FastgenScene,
  loss: Tensor,
  net: string,
  { weights, moments, updates }: Learner,
  optimizer: Optimizer,
): Record<string, Tensor> {
  const numbers = Object.entries(optimizer.scalars({ update: updates, step: 0, steps: 1 }));
  const scalars = Object.fromEntries(
    numbers.map(([name, value]) => [name, scene.feed.tensor(`${net} ${name}`, [], [value])]),
  );
  const outputs: Record<string, Tensor> = {};
  for (const [parameter, { weight, gradient }] of Object.entries(scene.learning(loss, net, Object.keys(weights)))) {
    const kept = optimizer.moments.map((name) => {
      const value = moments[`${name} ${parameter}`] ?? new Float32Array(weights[parameter].length);
      return [name, scene.feed.tensor(`${net} ${parameter} ${name}`, weight.shape, value)] as const;
    });
    const next = optimizer.update(weight, gradient, Object.fromEntries(kept), scalars);
    outputs[`weights ${net} ${parameter}`] = next.weights;
    for (const [name, value] of Object.entries(next.moments)) outputs[`${name} ${net} ${parameter}`] = value;
  }
  return outputs;
}
