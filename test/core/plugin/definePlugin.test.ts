import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type AnyToken, Container, listToken, token } from "../../../core/di/mod.ts";
import * as interfaces from "../../../core/interfaces/mod.ts";
import { DATASET, DATASET_SOURCE, SAMPLER } from "../../../core/interfaces/mod.ts";
import {
  definePlugin,
  isPlugin,
  type Kind,
  kinds,
  number,
  type PluginKind,
  pluginKinds,
  tokenOf,
} from "../../../core/plugin/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/plugin/definePlugin");

const TEACHER = token<{ denoise(x: number): number }>("Teacher");
const LOSSES = listToken<(x: number) => number>("Loss");

const teacher = definePlugin({
  name: "shrink",
  kind: "teacher",
  token: TEACHER,
  about: "Shrinks what it is given",
  options: { factor: number({ default: 0.5, min: 0, max: 1, about: "what is left of the input" }) },
  create: ({ factor }) => ({ denoise: (x) => factor * x }),
});

const loss = definePlugin({
  name: "gap",
  kind: "loss",
  token: LOSSES,
  about: "Distance to the denoised value",
  options: { weight: number({ default: 1, min: 0, about: "factor of the loss" }) },
  create({ weight }, c) {
    const { denoise } = c.get(TEACHER);
    return (x) => weight * Math.abs(x - denoise(x));
  },
});

test("configured plugins install and find each other", () => {
  const c = new Container();
  for (const plugin of [loss({ weight: 2 }), teacher(), loss()]) plugin.install(c);
  assert.equal(
    c.all(LOSSES).map((apply) => apply(4)),
    [4, 2],
  );
});

test("options are checked when the plugin is configured", () => {
  assert.is(thrown(() => teacher({ factor: 2 })).code, "E_OPTION");
  // @ts-expect-error the type checker knows the names
  const error = thrown(() => teacher({ facter: 1 }));
  assert.is(error.message, 'Cannot configure shrink: "facter" is not one of factor, did you mean "factor"?');
});

test("configure: takes options from a config file, settings over them", () => {
  const plugin = teacher.configure({ factor: 0.25 }, [["factor", "0.75"]]);
  assert.equal(plugin.options, { factor: 0.75 });
  assert.is(plugin.kind, "teacher");
  assert.is(plugin.definition.token, TEACHER);
});

test("two plugins for one single value are both named", () => {
  const other = definePlugin({
    ...teacher.definition,
    name: "other",
    token: TEACHER,
    create: () => ({ denoise: (x) => x }),
  });
  const c = new Container();
  teacher().install(c);
  const error = thrown(() => other().install(c));
  assert.is(error.code, "E_DUPLICATE_PLUGIN");
  assert.match(error.message, /other.*shrink/);
});

test("a name or kind that is none is refused", () => {
  const named = thrown(() => definePlugin({ ...loss.definition, name: "My Loss" }));
  assert.is(named.code, "E_PLUGIN_FILE");
  assert.match(named.message, "lower-case words joined by hyphens");
  const kind = "looss" as PluginKind;
  assert.match(thrown(() => definePlugin({ ...loss.definition, kind })).message, '"looss"');
});

test("without a token, a plugin provides what its kind does, and the type checker knows it", () => {
  const own = definePlugin({
    name: "own",
    kind: "sampler",
    about: "Takes no step",
    options: {},
    create: () => ({ sigmaMax: 1, steps: [] }),
  });
  const container = new Container();
  own().install(container);
  assert.is(container.get(SAMPLER).sigmaMax, 1);
  // @ts-expect-error a sampler has steps
  definePlugin({ name: "half", kind: "sampler", about: "", options: {}, create: () => ({ sigmaMax: 1 }) });
});

test("the token of each kind has the name of its section, and can be asked for by that name in capitals", () => {
  for (const kind of pluginKinds) {
    const { section = kind }: Kind = kinds[kind];
    const named = (interfaces as unknown as Record<string, AnyToken<unknown>>)[section.toUpperCase()];
    assert.is(tokenOf(kind).name, section);
    // A dataset has to be loaded before others can have it.
    assert.equal(kind === "dataset" ? DATASET_SOURCE : named, tokenOf(kind));
    if (kind === "dataset") assert.is(named, DATASET);
  }
});

test("isPlugin: knows plugins, not what resembles them", () => {
  assert.ok(isPlugin(loss));
  for (const other of [loss(), loss.definition, () => 0, undefined, null, "loss"]) assert.not.ok(isPlugin(other));
});

test("a definition that no type checker has seen is refused in a line", () => {
  const sound = { name: "own", kind: "loss", token: LOSSES, about: "", options: {}, create: () => ({}) };
  const circle: unknown[] = [Object.create(null)];
  circle.push(circle);
  for (const [wrong, says] of [
    [{ name: Symbol("x") }, /its name is Symbol\(x\)/],
    [{ name: circle }, /its name is \[object Array\]/],
    [{ kind: null }, /its kind is null/],
    [{ token: {} }, /its token {} is none, a plugin of kind loss needs none$/],
    [{ token: null }, /its token null is none/],
    [{ token: SAMPLER }, /its token "sampler" is that of kind sampler, a plugin of kind loss needs none$/],
    [
      { kind: "dataset", token: DATASET },
      /its token "loaded dataset" is what a run provides itself, a plugin of kind dataset/,
    ],
    [{ create: 5 }, /its create is 5, it should be a function/],
    [{ options: null }, /its options is null/],
    [{ options: { width: 5 } }, /its width is 5, it should be made with number/],
  ] as const) {
    const error = thrown(() => definePlugin({ ...sound, ...wrong } as never));
    assert.is(error.code, "E_PLUGIN_FILE");
    assert.match(error.message, says);
  }
  assert.is(thrown(() => definePlugin(null as never)).code, "E_PLUGIN_FILE");
});

test.run();
