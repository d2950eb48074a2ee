import { CRITIC, definePlugin, GENERATOR, group, number, ownSampler, SAMPLER, TEACHER, TRAIN_LENGTH } from "onestep";

const updates = (value: number) => number({ default: value, min: 0, integer: true, about: "number of updates" });

/** A critic that learns alone before generator and critic take turns, one update each, on images of their own. */
export default definePlugin({
  name: "critic-first",
  kind: "method",
  about: "Trains the teacher, then the critic alone, then generator and critic in turns",
  options: {
    teacher: group({ steps: updates(2000) }, { about: "training of the teacher" }),
    critic: group({ steps: updates(200) }, { about: "training of the critic alone" }),
  },
  create(options, container) {
    const [teacher, generator, critic] = [container.get(TEACHER), container.get(GENERATOR), container.get(CRITIC)];
    const { steps, batch } = container.get(TRAIN_LENGTH);
    const begins = { generator: "teacher", critic: "teacher" };
    const stages = [
      { name: "teacher", steps: options.teacher.steps, batch, roles: ["teacher"], cycle: [[{ role: "teacher" }]] },
      { name: "critic", steps: options.critic.steps, batch, cycle: [[{ role: "critic" }]], begins },
      { name: "distillation", steps, batch, cycle: [[{ role: "generator" }], [{ role: "critic" }]] },
    ];
    const samplers = { teacher: container.get(SAMPLER), generator: ownSampler(generator) };
    return { name: "critic-first", roles: { teacher, generator, critic }, stages, maker: "generator", samplers };
  },
});
