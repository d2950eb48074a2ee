/** What a kind of plugin means for a config. */
export interface Kind {
  /** What its section of a config is for, as editors show it. */
  readonly about: string;
  /** The section of a config that its plugins stand in; the kind's own name where absent. */
  readonly section?: string;
  /** How several plugins of the kind are told apart in their section; absent where a run has one. */
  readonly by?: "name" | "role";
  /** Whether every run has one. */
  readonly needed?: boolean;
  /** Whether a run has every one that is registered, with its defaults, unless its config says otherwise. */
  readonly always?: boolean;
  /** Whether samples can't be drawn from stored weights without it. */
  readonly draws?: boolean;
}

/** Every kind of plugin, in order of installation: a new one is a line here. */
export const kinds = {
  dataset: { about: "the data: real samples, and what describes them", needed: true },
  network: { about: "the network that each role has parameters of its own for", needed: true, draws: true },
  process: { about: "noise process of the model; EDM's without one", draws: true },
  teacher: { about: "how the network plays the teacher", draws: true },
  generator: { about: "how it plays the generator, and at which noise levels", draws: true },
  critic: { about: "how it plays the critic, and whether it has the head of a discriminator", draws: true },
  sampler: { about: "how the teacher is sampled", draws: true },
  method: { about: "who plays, in which stages, in which cycle of turns", needed: true, draws: true },
  extractor: {
    about: "networks whose features metrics and losses compare, by name",
    section: "extractors",
    by: "name",
  },
  encoder: { about: "networks that read texts for metrics, by name", section: "encoders", by: "name" },
  autoencoder: { about: "what makes pictures of latents, and latents of pictures" },
  pipeline: { about: "what knows the kind of model that the run starts from" },
  loss: { about: "losses by name; false leaves one out", section: "losses", by: "name" },
  optimizer: { about: "how a role's weights are updated, by role", section: "optimizers", by: "role" },
  average: {
    about: "running averages of a role's weights, by role, others of it as role/label",
    section: "averages",
    by: "role",
  },
  balancer: { about: "what moves the weights of losses while the run goes on", section: "balancers", by: "name" },
  metric: { about: "how samples are judged, by name; false leaves one out", section: "metrics", by: "name" },
  monitor: {
    about: "what watches the health of the run, by name; false leaves one out",
    section: "monitors",
    by: "name",
    always: true,
  },
  observer: { about: "what hears the events of the run, by name", section: "observers", by: "name" },
} as const satisfies Record<string, Kind>;

/** One of the kinds of plugin. */
export type PluginKind = keyof typeof kinds;

/** What a plugin can be. */
export const pluginKinds = Object.keys(kinds) as PluginKind[];
