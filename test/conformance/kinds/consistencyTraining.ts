import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { input, mean } from "../../../core/ops/mod.ts";
import { ema, radam, radamScalars } from "../../../core/optim/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { boundaryDenoiser } from "../../../plugins/generators/shared/boundary.ts";
import { consistencyTrainingLosses } from "../../../plugins/losses/shared/consistency.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { evaluateOn } from "../feed.ts";
import { type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { scheduleAt } from "./consistencySchedules.ts";

/** EDM's levels and deviation, which the case leaves at their defaults. */
const BOUNDS = { sigmaMin: 0.002, sigmaMax: 80, rho: 7 };
const SIGMA_DATA = 0.5;
/** Share of the old average of the evaluation. */
const EVALUATION = 0.99;

/** A tensor of a network with the moments of its update. */
type Numbers = Record<string, ArrayLike<number>>;

/** Consistency training of the tiny network: levels and the target's average change with the update, RAdam moves it. */
export const consistencyTrainingKind: Kind = {
  name: "consistency training",
  matches: ({ file }) => /^cm_ct_traj/.test(file),
  async run(job) {
    const { reference, backend, check } = job;
    const { config } = reference;
    if (config.cases.length > 0) throw new Unsupported("no sub-cases of a trajectory");
    const names = reference.names("w.student.").map((name) => name.slice("w.student.".length));
    const start = Object.fromEntries(names.map((name) => [name, reference.f32(`w.student.${name}`)]));
    let [student, target, average] = [start, start, start] as Numbers[];
    const zeros = () =>
      Object.fromEntries(names.map((name) => [name, new Float32Array(start[name].length)])) as Numbers;
    let [moment1, moment2] = [zeros(), zeros()];
    for (let k = 0; k < config.steps; k++) {
      const { beta, levels } = scheduleAt(k, config.schedule);
      const it = `it${k}`;
      check([beta], `out.${it}.ema_rate`);
      if (reference.has(`out.${it}.num_scales`)) check([levels], `out.${it}.num_scales`);
      const scene = new RivalScene(job);
      const given = (prefix: string, values: Numbers): Record<string, Tensor> =>
        Object.fromEntries(
          names.map((name) => {
            const full = `${prefix}.${name}`;
            Object.assign(scene.feed.values, { [full]: Float32Array.from(values[name]) });
            return [name, input(full, reference.shape(`w.student.${name}`))];
          }),
        );
      const weights = given("student", student);
      const held = given("target", target);
      const grid = karrasSigmas(levels, BOUNDS);
      const indices = scene.indices(`rand.${it}.indices`);
      const at = (back: number) =>
        scene.perSample(
          `level${back}`,
          indices.map((index) => grid[index + back]),
        );
      const denoiser = (net: string, own: Record<string, Tensor>) => {
        scene.give(net, own);
        return boundaryDenoiser(scene.edm(net, SIGMA_DATA), { sigmaMin: BOUNDS.sigmaMin, sigmaData: SIGMA_DATA });
      };
      const loss = mean(
        consistencyTrainingLosses(
          {
            x: scene.tensor(`in.${it}.x_start`),
            eps: scene.tensor(`rand.${it}.noise`),
            condition: scene.feed.label(`int.${it}.label`, reference.i32(`int.${it}.label`)),
            sigma: at(0),
            next: at(1),
          },
          { generator: denoiser("student", weights), target: denoiser("target", held) },
          { distance: sampleDistances.l2 },
        ),
      );
      const gradients = grad(
        loss,
        names.map((name) => weights[name]),
      );
      const scalars = radamScalars(k, config.lr);
      const numbers = {
        adaptive: scene.feed.tensor("adaptive", [], [scalars.adaptive]),
        plain: scene.feed.tensor("plain", [], [scalars.plain]),
      };
      const [m, v, kept] = [given("m", moment1), given("v", moment2), given("average", average)];
      const outputs: Record<string, Tensor> = { loss };
      names.forEach((name, i) => {
        const next = radam({
          weights: weights[name],
          gradient: gradients[i],
          moment1: m[name],
          moment2: v[name],
          scalars: numbers,
        });
        outputs[`student.${name}`] = next.weights;
        outputs[`m.${name}`] = next.moment1;
        outputs[`v.${name}`] = next.moment2;
        outputs[`ema.${name}`] = ema(kept[name], next.weights, EVALUATION);
        outputs[`target.${name}`] = ema(held[name], next.weights, beta);
      });
      const made = await evaluateOn(backend, outputs, scene.feed);
      const of = (prefix: string): Numbers =>
        Object.fromEntries(names.map((name) => [name, made[`${prefix}.${name}`]]));
      [student, target, average, moment1, moment2] = ["student", "target", "ema", "m", "v"].map(of);
      const compare = (values: ArrayLike<number>, name: string) => {
        for (const full of [`out.${name}`, `f64.out.${name}`]) if (reference.has(full)) check(values, full);
      };
      compare(made.loss, `${it}.loss`);
      for (const name of names)
        for (const net of ["student", "target", "ema"]) compare(made[`${net}.${name}`], `after.${it}.${net}.${name}`);
    }
  },
};
