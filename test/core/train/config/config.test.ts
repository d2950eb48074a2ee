import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LOSSES, type LossContext } from "../../../../core/interfaces/mod.ts";
import { mergeConfig, readSetting, settingOverlay } from "../../../../core/plugin/mod.ts";
import { type RunConfig, resolveConfig } from "../../../../core/train/mod.ts";
import { discrete } from "../../../../plugins/mod.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { compose } from "../../../plugins/support.ts";
import { registry, tiny, tinyConfig } from "../support.ts";

const test = suite("core/train/config");

type Options = Readonly<Record<string, unknown>>;
const refused = (over: unknown) => thrown(() => tinyConfig(over));

test("mergeConfig: objects merge, everything else replaces", () => {
  const base = { train: { steps: 5, batch: 4 }, list: [1, 2], on: true };
  assert.equal(mergeConfig(base, { train: { steps: 9 }, list: [3], on: undefined }), {
    train: { steps: 9, batch: 4 },
    list: [3],
    on: true,
  });
  assert.equal(base.train.steps, 5, "the base is left alone");
  assert.equal(mergeConfig({ loss: { weight: 2 } }, { loss: false }), { loss: false });
  assert.equal(mergeConfig({ loss: false }, { loss: { weight: 2 } }), { loss: { weight: 2 } });
});

test("mergeConfig: another plugin does not inherit the options of the one before", () => {
  const base = { network: { use: "mlp", width: 128 } };
  assert.equal(mergeConfig(base, { network: { use: "adm" } }), { network: { use: "adm" } });
  assert.equal(mergeConfig(base, { network: { use: "mlp", depth: 2 } }), {
    network: { use: "mlp", width: 128, depth: 2 },
  });
});

test("mergeConfig and resolveConfig: no config can reach a prototype", () => {
  const hostile = (path: string) =>
    JSON.parse(path.split(".").reduceRight((inner, key) => `{"${key}":${inner}}`, "true"));
  for (const path of ["__proto__.polluted", "train.__proto__.polluted"]) {
    assert.equal(Object.keys(mergeConfig({ train: {} }, hostile(path))).length, path[0] === "t" ? 1 : 2);
    assert.throws(() => tinyConfig(hostile(path)), /"__proto__" is not one of/);
    assert.throws(() => resolveConfig({ ...tiny, ...hostile(path) }, registry()), /__proto__/);
  }
  assert.throws(() => tinyConfig(settingOverlay(["__proto__.polluted", "1"])), /__proto__/);
  assert.throws(() => tinyConfig(settingOverlay(["network.__proto__.width", "1"])), /__proto__/);
  assert.throws(() => tinyConfig(settingOverlay(["losses.__proto__.use", "fake-score"])), /__proto__/);
  for (const name of ["__proto__", "toString"])
    assert.is(
      thrown(() => withSettings(`losses.${name}.use=fake-score`)).message,
      `Cannot read the config: "losses.${name}" is no name, choose another`,
    );
  assert.throws(() => tinyConfig({ constructor: { prototype: { polluted: 1 } } }), /"constructor"/);
  assert.is(({} as Record<string, unknown>).polluted, undefined);
});

/** The resolved config of the tiny experiment with settings of the command line laid over it, in order. */
const withSettings = (...settings: string[]) => {
  const overlays = settings.map((setting) => settingOverlay(readSetting(setting)));
  const laid = overlays.reduce<RunConfig>(mergeConfig, tiny);
  return resolveConfig(laid, registry().register([discrete]));
};

test("settings: each is read as its option says, and the last one wins", () => {
  const { config, settings } = withSettings(
    "train.steps=5",
    "train.steps=500",
    "train.precision.generator=f16",
    "generator.sigmas=80,20,5",
    "sampler.churnMax=none",
    "averages.teacher.rampUp=none",
    "losses.gan-generator=off",
    "losses.gan-discriminator=false",
    "losses.twice.use=shrink",
    "losses.twice.note=12",
    'network={"use":"mlp","width":7}',
    "start.teacher=2024",
    "start.generator=off",
    "method.teacher.steps=none",
  );
  assert.equal([settings.steps, settings.precision], [500, { generator: "f16" }]);
  assert.equal((config.generator as Options).sigmas, [80, 20, 5]);
  assert.is((config.sampler as Options).churnMax, undefined);
  assert.is((config.averages!.teacher as Options).rampUp, undefined);
  assert.is((config.averages!.teacher as Options).halfLife, 50, "what stands beside it stays");
  assert.equal(Object.keys(config.losses).sort(), ["distribution-matching", "edm-denoising", "fake-score", "twice"]);
  assert.is((config.losses.twice as Options).note, "12", "a text of digits stays a text");
  assert.equal(config.start, { teacher: "2024" }, "a file name");
  assert.is((config.method as { teacher?: Options }).teacher?.steps, undefined);
  const lists = (setting: string) => (withSettings(setting).config.generator as Options).sigmas;
  assert.equal(lists("generator.sigmas=[80, 2]"), [80, 2]);
  assert.equal(withSettings("network.use=mlp").config.network.width, 6);
  for (const nothing of ["off", "false", "none"]) {
    assert.is(withSettings(`generator=${nothing}`).config.generator, undefined);
    assert.is(withSettings(`losses.fake-score=${nothing}`).config.losses["fake-score"], undefined);
    assert.is(withSettings(`start.teacher=${nothing}`).config.start, undefined);
  }
});

test("settings: timesteps of a process that has them", () => {
  const resolved = withSettings("process.use=discrete", "generator.timesteps=999,749,499,249");
  assert.equal((resolved.config.generator as Options).timesteps, [999, 749, 499, 249]);
  assert.is(resolved.config.process?.use, "discrete");
});

test("settings: text that does not parse is refused by the name of its option", () => {
  for (const [setting, message] of [
    [
      "generator.sigmas=80,many",
      'Cannot configure few-step: generator.sigmas.1 must be a number in (0, inf), current value is "many"',
    ],
    ["train.steps=1e", 'Cannot configure train: steps must be a whole number in [0, inf), current value is "1e"'],
    [
      "sampler.churnMax=non",
      'Cannot configure heun: sampler.churnMax must be a number in [0, inf), current value is "non"',
    ],
    [
      "train.precision.critic=f8",
      'Cannot configure train: precision.critic must be one of f32, f16, current value is "f8"',
    ],
    [
      "method.ttur.exclusive=yes",
      'Cannot configure dmd2: method.ttur.exclusive must be true or false, current value is "yes"',
    ],
  ]) {
    const error = thrown(() => withSettings(setting));
    assert.is(error.code, "E_OPTION", setting);
    assert.is(error.message, message);
  }
  const section = thrown(() => withSettings("optimizers=many"));
  assert.is(section.code, "E_CONFIG");
  assert.match(section.message, /optimizers is "many", expected an object of options$/);
  const { fix } = thrown(() => withSettings("losses.gan-generator=on"));
  assert.match(fix, "--set losses.gan-generator={} takes its defaults");
  assert.match(thrown(() => withSettings("optimizers=none")).message, /^Cannot switch off optimizers: it is not one /);
});

test("resolveConfig: the resolved config is complete, and resolving it again changes nothing", () => {
  const { config, settings } = tinyConfig();
  const again = resolveConfig(JSON.parse(JSON.stringify(config)), registry());
  assert.equal(JSON.stringify(again.config), JSON.stringify(config));
  assert.equal(again.settings, settings);
  assert.equal(
    again.plugins.map(({ name }) => name),
    tinyConfig().plugins.map(({ name }) => name),
  );
  assert.is(settings.seed, 0);
  assert.is((config.optimizers.teacher as { beta1: number }).beta1, 0.9);
  assert.not("role" in (config.optimizers.teacher as object), "the role is the key");
});

test("resolveConfig: what is switched off is gone; generator and critic may be absent", () => {
  const { config, plugins } = tinyConfig({
    losses: { "gan-generator": false },
    averages: { teacher: false },
    generator: false,
    critic: null,
  });
  assert.not("gan-generator" in config.losses);
  assert.equal(Object.keys(config.averages!), ["generator"]);
  assert.not(plugins.some(({ kind }) => kind === "generator" || kind === "critic"));
});

test("sections that every run has, and those of many plugins, are not switched off as a whole", () => {
  const says = (...settings: string[]) => thrown(() => withSettings(...settings)).message;
  for (const section of ["train", "dataset", "method"])
    assert.is(
      says(`${section}=off`),
      `Cannot switch off ${section}: every run has ${section === "train" ? "these options" : "one"}, ${section}.NAME=VALUE sets an option of it`,
    );
  assert.is(
    says("losses=off"),
    "Cannot switch off losses: it is not one plugin but all of them, such as losses.NAME=off",
  );
  const wrong = { ...tiny, optimizers: false } as never;
  assert.match(thrown(() => resolveConfig(wrong, registry())).message, /^Cannot switch off optimizers: /);
});

test("a text off, as YAML reads it, switches off like false", () => {
  const { losses, critic } = tiny as unknown as { losses: object; critic: object };
  const yaml = { ...tiny, losses: { ...losses, "gan-generator": "off", "gan-discriminator": "off" }, critic };
  const { config } = resolveConfig(yaml as never, registry());
  assert.equal(Object.keys(config.losses), ["edm-denoising", "distribution-matching", "fake-score"]);
  assert.is(resolveConfig({ ...tiny, generator: "off" } as never, registry()).config.generator, undefined);
});

test("settings: what is switched off must be there, or be a plugin that could be", () => {
  assert.not("twice" in withSettings("losses.twice.use=fake-score", "losses.twice=off").config.losses);
  withSettings("losses.pair=off"); // registered, and not in the config
  const says = (setting: string) => thrown(() => withSettings(setting)).message;
  assert.match(
    says("losses.fake-scoer=off"),
    /^Cannot switch off losses\.fake-scoer: losses has .*, did you mean "fake-score"\?$/,
  );
  assert.match(says("optimizers.generater=off"), /did you mean "generator"\?$/);
});

test("resolveConfig: unknown sections, plugins and options, with what was meant", () => {
  const section = refused({ losess: {} });
  assert.is(section.code, "E_UNKNOWN_OPTION");
  assert.match(section.message, /^Cannot read the config: "losess" is not one of dataset, .*did you mean "losses"\?$/);
  for (const [name, message] of [
    ["width", /, did you mean network.width\?$/],
    ["batch", /, did you mean train.batch\?$/],
    ["lr", /, did you mean optimizers.teacher.lr or optimizers.generator.lr or optimizers.critic.lr\?$/],
  ] as const)
    assert.match(refused(settingOverlay([name, "3"])).message, message);
  const plugin = refused({ network: { use: "mpl" } });
  assert.is(plugin.code, "E_MISSING_PLUGIN");
  assert.match(plugin.message, /did you mean "mlp"\?$/);
  const loss = refused({ losses: { "fake-scoer": {} } });
  assert.is(loss.code, "E_MISSING_PLUGIN");
  assert.match(loss.message, /loss "fake-scoer".*did you mean "fake-score"\?$/);
  const option = refused({ network: { widht: 3 } });
  assert.is(option.code, "E_UNKNOWN_OPTION");
  assert.match(option.message, /^Cannot configure mlp: "network.widht".*did you mean "width"\?$/);
  const setting = refused(settingOverlay(["method.teacher.stesp", "3"]));
  assert.match(setting.message, /^Cannot configure dmd2: "method.teacher.stesp".*did you mean "steps"\?$/);
});

test("resolveConfig: wrong types and ranges, by the name the user gave", () => {
  const message = (over: unknown) => refused(over).message;
  assert.match(
    message({ train: { batch: 0 } }),
    /^Cannot configure train: batch must be a whole number in \[1, inf\), current value is 0$/,
  );
  assert.match(message({ train: { seed: "x" } }), /^Cannot configure train: seed must be/);
  assert.match(message({ train: [] }), /train is \[\], expected an object of options$/);
  assert.match(
    message({ dataset: false }),
    /^Cannot switch off dataset: every run has one, dataset\.NAME=VALUE sets an option of it$/,
  );
  assert.match(message({ network: { use: 5 } }), /network.use is 5, expected a plugin's name$/);
  assert.match(message({ optimizers: { teacher: 3 } }), /optimizers.teacher is 3, expected an object/);
  assert.match(
    message({ method: false }),
    /^Cannot switch off method: every run has one, method\.NAME=VALUE sets an option of it$/,
  );
  const { dataset: _, ...rest } = tiny;
  assert.match(
    thrown(() => resolveConfig(rest as never, registry())).message,
    /dataset is missing, expected an object/,
  );
});

test("resolveConfig: averages of one role by label, and what a label may be", () => {
  const { config, plugins } = tinyConfig({ averages: { "generator/slow": { use: "ema" } } });
  assert.equal(Object.keys(config.averages!), ["teacher", "generator", "generator/slow"]);
  const averages = plugins.filter(({ kind }) => kind === "average");
  assert.equal(
    averages.map(({ options }) => options.role),
    ["teacher", "generator", "generator"],
  );
  for (const key of ["generator/", "generator/../x", "generator/a b"])
    assert.throws(
      () => tinyConfig({ averages: { [key]: { use: "ema" } } }),
      /^Cannot read the config: averages has ".*", expected a role, or role\/label/,
    );
  assert.throws(() => tinyConfig({ optimizers: { "critic/b": { use: "adamw" } } }), /expected a role$/);
});

test("resolveConfig: one loss plugin under two names is two losses", () => {
  const { plugins, config } = tinyConfig({
    losses: { low: { use: "shrink", weight: 2 }, high: { use: "shrink", weight: 3 } },
  });
  const shape = { sample: [2], condition: {}, sigmaData: 1 };
  const container = compose(shape, ...plugins.filter(({ kind }) => kind === "loss"));
  const losses = container.all(LOSSES).filter(({ name }) => name === "low" || name === "high");
  assert.equal(
    losses.map(({ name, role, weight }) => [name, role, weight]),
    [
      ["low", "generator", 2],
      ["high", "generator", 3],
    ],
  );
  assert.throws(() => losses[0].compute({} as LossContext), /reading 'x'/);
  assert.is((config.losses.low as { use: string }).use, "shrink");
});

test.run();
