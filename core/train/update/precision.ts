import type { Backend } from "../../interfaces/backend.ts";
import type { Network } from "../../interfaces/network.ts";
import { NETWORK } from "../../interfaces/network.ts";
import type { Scope } from "../../nn/scope.ts";
import { made } from "../../plugin/made.ts";
import type { ConfiguredPlugin } from "../../plugin/mod.ts";
import { overlaid } from "../../plugin/overlaid.ts";
import { type Storage, withStorage } from "../../tensor/storage.ts";
import type { LossScaling } from "./lossScale.ts";
import { tracedBy } from "./tracedBy.ts";

/** What the activations of each role's network are kept in; weights, moments, averages and losses are f32 always. */
export type Precision = Readonly<Record<string, Storage>>;

/** The settings that say how a run keeps its numbers. */
export interface PrecisionSettings {
  /** f32 where absent. */
  readonly precision?: Precision;
  /** Factor of the losses; 0, the default, adapts it. Without effect while every role is in f32. */
  readonly lossScale?: number;
}

const rolesIn = ({ precision = {} }: PrecisionSettings, storage: Storage): string[] =>
  Object.keys(precision).filter((role) => precision[role] === storage);

/** What a role's network is kept in on a device. */
export const storageOn = (
  { storesHalf = false }: Backend,
  { precision = {} }: PrecisionSettings,
  role: string,
): Storage => (storesHalf ? (precision[role] ?? "f32") : "f32");

/** Says, as a sentence for people, that a device can't store f16 as asked; undefined where it can. */
export function precisionNotice(backend: Backend, settings: PrecisionSettings): string | undefined {
  const roles = rolesIn(settings, "f16");
  if (roles.length === 0 || backend.storesHalf) return undefined;
  const { backend: kind, name } = backend.info;
  return `precision f16 of ${roles.join(", ")}: ${kind} (${name}) stores f32`;
}

/**
 * How a role's loss is scaled. It depends on the settings, not on the device, so that checkpoints fit every device; a power of
 * two changes no digit in f32.
 * @param beside the roles of the stages in which it learns: gradients may flow through the network of any of them
 */
export function scalingOf(settings: PrecisionSettings, beside: Iterable<string>): LossScaling {
  const half = rolesIn(settings, "f16");
  const concerned = [...beside].some((role) => half.includes(role));
  return concerned ? settings.lossScale || "dynamic" : "none";
}

/** A network whose values are kept as the scope it is applied to says. */
const keptByScope = (plugin: string, network: Network): Network => {
  const kept =
    (member: "apply" | "features" | "middle"): Network["apply"] =>
    (scope: Scope, ...inputs) =>
      withStorage(scope.storage, () => tracedBy(plugin, member, () => network[member]!(scope, ...inputs)));
  return overlaid(network, {
    apply: kept("apply"),
    features: kept("features"),
    ...(network.middle && { middle: kept("middle") }),
  });
};

/** A network's plugin that gives `keptByScope`; others as they are. Preconditioning and losses stay outside, in f32. */
export function keepingStorage(plugin: ConfiguredPlugin): ConfiguredPlugin {
  if (plugin.kind !== "network") return plugin;
  const { definition, options, name } = plugin;
  return {
    ...plugin,
    install: (container) =>
      void container.provide(
        NETWORK,
        (c) => keptByScope(`network "${name}"`, made(definition, options, c) as Network),
        name,
      ),
  };
}
