import { type AnyToken, listToken, token } from "../di/token.ts";
import type {
  AUTOENCODER,
  AVERAGES,
  BALANCERS,
  CRITIC,
  DATASET_SOURCE,
  ENCODERS,
  EXTRACTORS,
  GENERATOR,
  LOSSES,
  METHOD,
  METRICS,
  MONITORS,
  NETWORK,
  OBSERVERS,
  OPTIMIZERS,
  PIPELINE,
  PROCESS,
  SAMPLER,
  TEACHER,
} from "../interfaces/mod.ts";
import { type Kind, kinds, type PluginKind } from "./kinds.ts";

/** What plugins of each kind provide. */
interface KindTokens {
  readonly dataset: typeof DATASET_SOURCE;
  readonly network: typeof NETWORK;
  readonly process: typeof PROCESS;
  readonly teacher: typeof TEACHER;
  readonly generator: typeof GENERATOR;
  readonly critic: typeof CRITIC;
  readonly sampler: typeof SAMPLER;
  readonly method: typeof METHOD;
  readonly extractor: typeof EXTRACTORS;
  readonly encoder: typeof ENCODERS;
  readonly autoencoder: typeof AUTOENCODER;
  readonly pipeline: typeof PIPELINE;
  readonly loss: typeof LOSSES;
  readonly optimizer: typeof OPTIMIZERS;
  readonly average: typeof AVERAGES;
  readonly balancer: typeof BALANCERS;
  readonly metric: typeof METRICS;
  readonly monitor: typeof MONITORS;
  readonly observer: typeof OBSERVERS;
}

/** What `create` of a plugin of a kind makes; what may come as a promise need not. */
export type ValueOf<K extends PluginKind> = KindTokens[K] extends AnyToken<infer T> ? T | Awaited<T> : never;

/**
 * The token of a kind: its name is that of the kind's section in a config, and its constant is that in capitals. Only datasets
 * have to be loaded, by DATASET_SOURCE, before others get them as DATASET.
 */
export function tokenOf<K extends PluginKind>(kind: K): KindTokens[K] {
  const { section = kind, by }: Kind = kinds[kind];
  return (by ? listToken(section) : token(section)) as KindTokens[K];
}
