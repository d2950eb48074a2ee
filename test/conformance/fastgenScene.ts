/** A turn of FastGen's distribution matching and adversarial methods: roles over the tiny network, draws of the reference. */
import {
  type Condition,
  type ConditionShape,
  type CriticNetwork,
  emptyName,
  GENERATOR,
  type Images,
  LOSSES,
  type LossContext,
  TEACHER,
} from "../../core/interfaces/mod.ts";
import { split } from "../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { fewStep } from "../../plugins/generators/fewStep.ts";
import { guided } from "../../plugins/teachers/guided.ts";
import { compose, GivenNoise } from "./feed.ts";
import { type Job, Unsupported } from "./kind.ts";
import { type Call, NO_SCOPE, RivalScene, watchedDenoiser } from "./rivalScene.ts";
import { only, type Settings } from "./settings.ts";

const SIGMA_DATA = 0.5;
/** Levels and features of all FastGen cases: a discriminator on the teacher, in the noise of the main loss. */
export const GAME = { features: "teacher", noise: "shared" } as const;

export class FastgenScene extends RivalScene {
  readonly calls = { teacher: [] as Call[], fake: [] as Call[] };
  /** Logits of every batch that was judged. */
  readonly judged: Tensor[] = [];
  readonly real: Images;
  readonly generated: Images;
  readonly #context: Pick<LossContext, "teacher" | "critic">;
  readonly #shape;

  /** @param head whose weights the discriminator has */
  constructor(job: Job, sub: Settings, head = "disc") {
    super(job, sub.id);
    only(sub.sample_t, "time_dist_type", "polynomial");
    const x = this.tensor("in.real");
    const classes = this.tensor("in.cond").shape[1];
    const described: ConditionShape = { classes: { shape: [classes], dtype: "f32", empty: "stored" } };
    this.#shape = { sample: x.shape.slice(1), condition: described, sigmaData: SIGMA_DATA };
    const condition: Condition = {
      classes: this.tensor("in.cond"),
      ...(this.reference.has(`${this.prefix}in.neg`) && { [emptyName("classes")]: this.tensor("in.neg") }),
    };
    this.real = { x, condition };
    this.generated = { x: this.#made(sub), condition };
    const teacher = this.#guided(sub.guidance_scale ?? 1);
    const judge = this.head(head);
    this.#context = {
      teacher: { ...watchedDenoiser(teacher, this.calls.teacher), features: teacher.features },
      critic: {
        ...watchedDenoiser(this.edm("fake", SIGMA_DATA), this.calls.fake),
        judge: (features: Tensor) => {
          const logits = judge(features);
          this.judged.push(logits);
          return logits;
        },
      } as Partial<CriticNetwork> as CriticNetwork,
    };
  }

  /** A loss of the product, in one turn with those of the same `shared`. */
  compute(
    loss: ConfiguredPlugin,
    { noise, shared }: Pick<LossContext, "noise" | "shared">,
    more: Partial<LossContext> = {},
  ): Tensor {
    const { generated, real } = this;
    const context = { ...this.#context, generated, real, noise, shared, ...more };
    const [found] = compose(this.#shape, loss).all(LOSSES);
    return found.compute(context as LossContext);
  }
  /** Draws `rand.eps` and `rand.t_idx` of the names, in order. */
  draws(...names: readonly (readonly [normal: string, index?: string])[]): GivenNoise {
    const normals = names.map(([normal]) => this.tensor(`rand.${normal}`));
    const indices = names.flatMap(([, index]) => (index ? [this.#index(index)] : []));
    return new GivenNoise(normals, indices);
  }
  /** Logits of the last batch that was judged, divided into as many batches as were joined. */
  logits(batches: number): Tensor[] {
    return split(this.judged[this.judged.length - 1], batches, 0);
  }

  #index(name: string): Tensor {
    const values = this.indices(`rand.${name}`);
    return this.feed.tensor(`${this.id}.${name}`, [values.length], values, "i32");
  }
  /** What the student makes: of noise in one step, or of noisy real images at a level of its list. */
  #made({ t_list: list, student_sample_steps: steps = 1 }: Settings): Tensor {
    if (list ? list.length !== steps + 1 || list[steps] !== 0 : steps !== 1)
      throw new Unsupported(`no student of ${steps} steps with t_list ${list}`);
    const sigmas: number[] = list?.slice(0, -1) ?? [80];
    const generator = compose(
      this.#shape,
      this.networkPlugin("student"),
      fewStep({ sigmas, inputs: "real-always" }),
    ).get(GENERATOR);
    const noise = this.tensor("rand.eps_student");
    // Every step draws, and the case has one draw for the step that is taken.
    const given = new GivenNoise(
      new Array<Tensor>(sigmas.length + 1).fill(noise),
      steps > 1 ? [this.#index("t_ids")] : [],
    );
    return generator.bind(NO_SCOPE).generate(noise.shape[0], this.real.condition, given, this.real);
  }
  #guided(guidanceScale: number) {
    if (guidanceScale < 1) throw new Unsupported(`no guidance of ${guidanceScale}`);
    const teacher = compose(this.#shape, this.networkPlugin("teacher"), guided({ guidanceScale })).get(TEACHER);
    return teacher.bind(NO_SCOPE) as Required<ReturnType<typeof teacher.bind>>;
  }
}
