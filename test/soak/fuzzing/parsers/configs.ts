/** Readers of what users write: configs, settings, words of the command line, plugin files. */

import { LOSSES } from "../../../../core/interfaces/mod.ts";
import { definePlugin, kinds, mergeConfig, pluginKinds, pluginOf, Registry } from "../../../../core/plugin/mod.ts";
import { checkChanges } from "../../../../core/train/config/changes.ts";
import { type RunConfig, resolveConfig } from "../../../../core/train/config/config.ts";
import type { Command } from "../../../../examples/cli/command.ts";
import { layOver, readConfig } from "../../../../examples/cli/configFile.ts";
import { parseFlags } from "../../../../examples/cli/parseFlags.ts";
import { presets } from "../../../../examples/cli/presets.ts";
import { allPlugins } from "../../../../plugins/all.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { type Draw, utf8 } from "../draw.ts";
import { expect } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";

const registry = new Registry().register(allPlugins);

/** Names of sections, plugins and options, for settings and configs that nearly fit. */
const SECTIONS = [
  ...new Set(pluginKinds.map((kind) => ("section" in kinds[kind] ? String(kinds[kind].section) : kind))),
  "train",
  "start",
  "schedule",
];
const OPTIONS = [
  "use",
  "steps",
  "batch",
  "seed",
  "keep",
  "weight",
  "width",
  "ttur.critic",
  "teacher.steps",
  "generator",
  "lr",
  "levels",
  "classes",
  "sigmaData",
];
const VALUES = [
  "1",
  "0",
  "-1",
  "1e999",
  "NaN",
  "off",
  "true",
  "none",
  "[1,2]",
  "1,2,3",
  "{}",
  '{"a":1}',
  "mlp",
  "adamw",
  "[[",
  "0x10",
  " 5 ",
  "1e-400",
  "",
];

/** Every number of a complete config is finite, and it is plain data: what is stored says all. */
function checkConfig(given: RunConfig): void {
  const { config } = resolveConfig(given, registry);
  const text = JSON.stringify(config);
  expect(JSON.stringify(JSON.parse(text)) === text, "a config that its own text does not say");
  checkNumbers(config);
  checkChanges(config, config, "a run");
}
function checkNumbers(value: unknown): void {
  if (typeof value === "number") expect(Number.isFinite(value), `${value} was taken`);
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) checkNumbers(inner);
}

const configs = await Promise.all(Object.values(presets).map(({ config }) => config()));

/** A preset's config as JSON, some of its members replaced. */
function presetText(draw: Draw): string {
  const config = draw.pick(configs);
  const written = (value: unknown, depth: number): string => {
    if (draw.chance(0.01)) return draw.json(3, OPTIONS);
    if (Array.isArray(value)) return `[${value.map((each) => written(each, depth + 1)).join()}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
    const members = Object.entries(value)
      .filter(() => draw.chance(0.99))
      .map(([name, inner]) => `${JSON.stringify(draw.text([name], 0.01))}:${written(inner, depth + 1)}`);
    if (draw.chance(0.02)) members.push(`${JSON.stringify(draw.text(OPTIONS))}:${draw.json(2, OPTIONS)}`);
    return `{${members.join()}}`;
  };
  return written(config, 0);
}

/** YAML by its grammar: anchors, aliases, tags, merges, several documents, directives. */
function yamlText(draw: Draw): string {
  const scalar = () =>
    draw.pick([
      "1",
      "off",
      ".nan",
      ".inf",
      "!!binary aGk=",
      "!!set {a}",
      "!x y",
      "*a",
      "&a b",
      "<<",
      "~",
      "0o17",
      "2001-01-01",
      "|\n  text",
      "'it''s'",
      '"\\x41"',
      "{a: 1}",
      "[1, 2]",
      "? a\n: b",
      "!!omap [a: 1]",
      "*b",
    ]);
  const lines = draw.list(10, () => {
    const indent = " ".repeat(draw.pick([0, 0, 2, 4, 1]));
    const anchor = draw.chance(0.1) ? `&${draw.pick(["a", "b"])} ` : "";
    return `${indent}${draw.pick([...SECTIONS, ...OPTIONS, "<<", "- a", draw.text()])}: ${anchor}${draw.chance(0.7) ? scalar() : ""}`;
  });
  if (draw.chance(0.02))
    return `train: ${draw.pick(["[", "{a: ", "- ", "!!x ", "&a ", '"\\x'])}`.repeat(draw.pick([10, 1000, 20_000]));
  if (draw.chance(0.01)) return Array.from({ length: draw.pick([100, 3000]) }, (_, i) => `a${i}: 1`).join("\n");
  if (draw.chance(0.1)) lines.unshift(draw.pick(["%YAML 1.1", "---", "...", "%TAG ! x", "\ufeff", "# note"]));
  return lines.join("\n");
}

const config: FuzzedParser = {
  name: "config file",
  slow: true,
  factor: 8,
  // What the library `yaml` makes of a bracket.
  heapFactor: 2500,
  make(draw) {
    const text = draw.chance(0.6) ? presetText(draw) : draw.chance(0.7) ? yamlText(draw) : draw.json(4, SECTIONS);
    const bytes = draw.damaged(utf8(text), 0.6);
    const files = memoryFiles({ "x.yaml": bytes });
    return { size: bytes.length, run: async () => checkConfig(await readConfig("x.yaml", files)) };
  },
};

const settings: FuzzedParser = {
  name: "settings of --set",
  factor: 8,
  make(draw) {
    const name = () => {
      if (draw.chance(0.01))
        return `${draw.pick(["train", "start.generator", "losses.x"])}${".a".repeat(draw.pick([100, 30_000]))}`;
      return [draw.text(SECTIONS, 0.05), ...draw.list(3, () => draw.text(OPTIONS, 0.1))].join(".");
    };
    const value = () =>
      draw.chance(0.05) ? draw.json(3) : draw.chance(0.01) ? draw.nested() : draw.text(VALUES, 0.05);
    const given = draw.list(4, () => `${name()}${draw.chance(0.98) ? "=" : ""}${value()}`);
    const config = draw.pick(configs);
    return {
      size: given.join().length,
      run: () => checkConfig(layOver(config, given, { "train.seed": draw.chance(0.3) ? value() : undefined })),
    };
  },
};

const command: Command = {
  name: "fuzz",
  about: "",
  operands: "<x>",
  arity: [0, 2],
  flags: {
    set: { type: "string", multiple: true, about: "" },
    out: { type: "string", about: "" },
    quiet: { type: "boolean", about: "" },
  },
} as unknown as Command;

const words: FuzzedParser = {
  name: "command line",
  factor: 8,
  make(draw) {
    const given = draw.list(6, () =>
      draw.chance(0.8)
        ? draw.pick([
            "--set",
            "--out",
            "--quiet",
            "--set=a=1",
            "--quiet=1",
            "--",
            "-",
            "-q",
            "--no-quiet",
            "--__proto__",
            "--constructor=1",
            "a=1",
            "x",
          ])
        : draw.text(["--out"], 0.8),
    );
    return {
      size: given.join().length,
      run() {
        const read = parseFlags(command, given);
        expect(read.positionals.length <= 2, "too many operands");
        for (const flag of ["set", "out"])
          for (const text of read.all(flag)) expect(typeof text === "string", "no text");
      },
    };
  },
};

/** A value as a plugin file may export it, or write into its definition. */
const value = (draw: Draw, depth = 2): unknown => {
  const made = draw.pick<() => unknown>([
    () => undefined,
    () => null,
    () => Number.NaN,
    () => draw.between(-3, 300),
    () => draw.text(["mlp", "a-b"]),
    () => () => draw.below(5),
    () => Symbol("x"),
    () => 10n,
    () => new Proxy({}, { get: () => undefined }),
    () => draw.list(3, () => (depth > 0 ? value(draw, depth - 1) : 1)),
    () => Object.fromEntries(draw.list(3, () => [draw.text(OPTIONS), depth > 0 ? value(draw, depth - 1) : 1])),
    () => Object.create(null),
    () => new Map([["a", 1]]),
  ]);
  return made();
};

const pluginFile: FuzzedParser = {
  name: "plugin file, what it exports",
  factor: 64,
  make(draw) {
    const member = (sound: unknown) => (draw.chance(0.9) ? sound : value(draw));
    const exported = draw.chance(0.5)
      ? () =>
          definePlugin({
            name: member("own-loss") as string,
            kind: member("loss") as "loss",
            token: member(LOSSES) as never,
            about: member("a loss") as string,
            options: member({}) as Record<string, never>,
            create: member(() => ({})) as never,
          })
      : () => value(draw);
    return {
      size: 500,
      run() {
        const plugin = pluginOf({ default: exported() }, "own.ts");
        new Registry().register([plugin], "own.ts");
        plugin.configure({});
      },
    };
  },
};

const pluginOptions: FuzzedParser = {
  name: "options of plugins",
  factor: 64,
  make(draw) {
    const plugin = draw.pick(allPlugins);
    const names = [...Object.keys(plugin.definition.options), "use"];
    const given = draw.chance(0.9)
      ? Object.fromEntries(draw.list(3, () => [draw.text(names, 0.05), value(draw)]))
      : value(draw);
    const laid = draw.list(2, () => [draw.text(names, 0.1), draw.text(VALUES)] as const);
    return {
      size: 500,
      run() {
        const { options } = plugin.configure(given, laid);
        checkNumbers(options);
        expect(Object.isFrozen(options), "options that can be changed");
        mergeConfig(options, given);
      },
    };
  },
};

export const configParsers: readonly FuzzedParser[] = [config, settings, words, pluginFile, pluginOptions];
