import type { Container } from "../../di/mod.ts";
import type { Resolver } from "../../di/resolver.ts";
import type { AnyToken } from "../../di/token.ts";
import { failure } from "../../errors.ts";
import { CRITIC } from "../../interfaces/critic.ts";
import { ENCODERS } from "../../interfaces/encoder.ts";
import { EXTRACTORS } from "../../interfaces/extractor.ts";
import { GENERATOR } from "../../interfaces/generator.ts";
import { LOSSES } from "../../interfaces/loss.ts";
import { METHOD } from "../../interfaces/method.ts";
import { METRICS } from "../../interfaces/metric.ts";
import { TEACHER } from "../../interfaces/teacher.ts";
import type { ConfiguredPlugin } from "../../plugin/mod.ts";

/**
 * Losses, metrics, extractors and encoders are known by the names they give themselves, under which programs, logs and other plugins have
 * them: two of one name would take each other's place.
 * @throws E_DUPLICATE_PLUGIN that names both plugins
 */
export function checkNames(container: Resolver, plugins: readonly ConfiguredPlugin[]): void {
  for (const [kind, token] of Object.entries({
    loss: LOSSES,
    metric: METRICS,
    extractor: EXTRACTORS,
    encoder: ENCODERS,
  })) {
    // In the order in which they were installed.
    const makers = plugins.filter(({ definition }) => definition.token.key === token.key);
    const first = new Map<string, string>();
    for (const [i, { name }] of container.all<{ readonly name: string }>(token).entries()) {
      const maker = makers[i]?.name ?? name;
      const other = first.get(name);
      if (other !== undefined)
        throw failure(
          "E_DUPLICATE_PLUGIN",
          `Cannot use ${kind} "${maker}": what it makes is called "${name}", as is that of ${kind} "${other}"; names must differ`,
          {
            fix: `give what "${maker}" makes a name of its own, or leave one of the two out with --set ${kind === "loss" ? "losse" : kind}s.${maker}=off`,
          },
        );
      first.set(name, maker);
    }
  }
}

/**
 * Whether a network of the config plays a part: one that nothing has asked for by the time that everything is traced does not.
 * @throws E_CONFIG that names the section
 */
export function checkUsed(container: Container): void {
  const networks: Readonly<Record<string, AnyToken<unknown>>> = {
    teacher: TEACHER,
    generator: GENERATOR,
    critic: CRITIC,
  };
  const { name, roles } = container.get(METHOD);
  for (const [section, token] of Object.entries(networks))
    if (container.has(token) && !container.asked(token))
      throw failure(
        "E_CONFIG",
        `Cannot run the method ${name}: the config has a ${section}, which nothing uses; roles are ${Object.keys(roles).join(", ")}`,
        { fix: `leave it out with --set ${section}=off, or choose a method that uses it` },
      );
}

/**
 * Holds the number of samples to judge to what metrics can do with it.
 * @param memory bytes that the host has left, where that is known
 * @throws E_OPTION where a metric can say nothing of so few, or can't hold so many
 */
export function checkCounts(container: Resolver, evaluateCount: number, memory?: number): void {
  for (const { name, least = 1, bytesPerSample = 0 } of container.all(METRICS)) {
    if (evaluateCount < least)
      throw failure(
        "E_OPTION",
        `Cannot configure train: evaluateCount is ${evaluateCount}, the metric ${name} needs at least ${least} samples`,
        { fix: `set train.evaluateCount=${least} or more, or leave the metric out with --set metrics.${name}=off` },
      );
    const needed = bytesPerSample * evaluateCount;
    if (memory !== undefined && needed > memory)
      throw failure(
        "E_OPTION",
        `Cannot configure train: evaluateCount is ${evaluateCount}, to judge so many with ${name} takes ${mebibytes(needed)} of memory, ${mebibytes(memory)} are there`,
        {
          fix: `set train.evaluateCount=${Math.max(least, Math.floor(memory / 2 / bytesPerSample))} or less, or leave the metric out with --set metrics.${name}=off`,
        },
      );
  }
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
