/** What a kind of plugin means for a config. */
export interface Kind {
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
  dataset: { needed: true },
  network: { needed: true, draws: true },
  process: { draws: true },
  teacher: { draws: true },
  generator: { draws: true },
  critic: { draws: true },
  sampler: { draws: true },
  method: { needed: true, draws: true },
  extractor: { section: "extractors", by: "name" },
  encoder: { section: "encoders", by: "name" },
  autoencoder: {},
  pipeline: {},
  loss: { section: "losses", by: "name" },
  optimizer: { section: "optimizers", by: "role" },
  average: { section: "averages", by: "role" },
  balancer: { section: "balancers", by: "name" },
  metric: { section: "metrics", by: "name" },
  monitor: { section: "monitors", by: "name", always: true },
  observer: { section: "observers", by: "name" },
} as const satisfies Record<string, Kind>;

/** One of the kinds of plugin. */
export type PluginKind = keyof typeof kinds;

/** What a plugin can be. */
export const pluginKinds = Object.keys(kinds) as PluginKind[];
