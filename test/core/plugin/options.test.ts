import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  boolean,
  choice,
  group,
  list,
  listOptions,
  mergeConfig,
  number,
  optional,
  parseOptions,
  readSetting,
  record,
  type Setting,
  settingOverlay,
  text,
} from "../../../core/plugin/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/plugin/options");

const specs = {
  sigmaMax: number({ default: 80, min: 0, about: "largest noise level" }),
  batch: number({ default: 4, min: 1, max: 64, integer: true, about: "samples per step" }),
  rate: number({ default: 1e-4, above: 0, about: "learning rate per step" }),
  gan: boolean({ default: true, about: "whether the discriminator is trained" }),
  label: text({ default: "", about: "name of the run" }),
  profile: choice(["paper", "fastgen"], { default: "paper", about: "whose settings" }),
  sigmas: list(number({ min: 0 }), { default: [80, 0], about: "noise levels, decreasing" }),
  weights: record(number({ min: 0 }), { default: {}, about: "weight of each loss" }),
  clip: optional(number({ above: 0 }), { about: "largest gradient norm" }),
  network: group(
    { channels: number({ default: 32, min: 1, about: "width of the first level" }) },
    { about: "the U-Net" },
  ),
};

const parse = (given: unknown) => parseOptions("dmd", specs, given);
/** Settings laid over options, in order. */
const laidOver = (given: unknown, settings: readonly Setting[]) =>
  settings.map(settingOverlay).reduce<unknown>(mergeConfig, given);
const parseText = (...settings: Setting[]) => parse(laidOver({}, settings));
const message = (given: unknown) => thrown(() => parse(given)).message;

test("defaults fill what is left out, in groups as well", () => {
  const options = parse({ batch: 8, sigmaMax: undefined });
  assert.equal(options, {
    sigmaMax: 80,
    batch: 8,
    rate: 1e-4,
    gan: true,
    label: "",
    profile: "paper",
    sigmas: [80, 0],
    weights: {},
    clip: undefined,
    network: { channels: 32 },
  });
  assert.ok(Object.isFrozen(options) && Object.isFrozen(options.network));
});

test("the static type follows from the spec", () => {
  const options = parse({});
  const profile: "paper" | "fastgen" = options.profile;
  const clip: number | undefined = options.clip;
  const sigmas: readonly number[] = options.sigmas;
  const channels: number = options.network.channels;
  // @ts-expect-error options are read-only
  assert.throws(() => (options.batch = 1));
  assert.ok([profile, clip, sigmas, channels]);
});

test("an unknown name is refused with the nearest, wherever it stands", () => {
  const error = thrown(() => parse({ sigma_max: 1 }));
  assert.is(error.code, "E_UNKNOWN_OPTION");
  assert.match(error.message, /^Cannot configure dmd: "sigma_max" is not one of sigmaMax, batch, /);
  assert.match(error.message, /did you mean "sigmaMax"\?$/);
  assert.match(message({ network: { chanels: 1 } }), '"network.chanels" is not one of channels');
  assert.match(message(JSON.parse('{"__proto__": 1}')), '"__proto__" is not one of');
  const none = thrown(() => parseOptions("plain", {}, { a: 1 }));
  assert.is(none.message, 'Cannot configure plain: "a" is not an option, expected none');
});

const wrong: [given: unknown, says: string][] = [
  [{ sigmaMax: -5 }, "sigmaMax must be a number in [0, inf), current value is -5"],
  [{ sigmaMax: "5" }, 'sigmaMax must be a number in [0, inf), current value is "5"'],
  [{ sigmaMax: Number.NaN }, "sigmaMax must be a number in [0, inf), current value is NaN"],
  [{ sigmaMax: Infinity }, "sigmaMax must be a number in [0, inf), current value is Infinity"],
  [{ batch: 65 }, "batch must be a whole number in [1, 64], current value is 65"],
  [{ batch: 1.5 }, "batch must be a whole number in [1, 64], current value is 1.5"],
  [{ rate: 0 }, "rate must be a number in (0, inf), current value is 0"],
  [{ gan: "yes" }, 'gan must be true or false, current value is "yes"'],
  [{ label: 3 }, "label must be text, current value is 3"],
  [{ profile: "papr" }, 'profile must be one of paper, fastgen, current value is "papr"'],
  [{ sigmas: 80 }, "sigmas must be a list, each a number in [0, inf), current value is 80"],
  [{ sigmas: [80, -1] }, "sigmas.1 must be a number in [0, inf), current value is -1"],
  [{ weights: { gan: -1 } }, "weights.gan must be a number in [0, inf), current value is -1"],
  [{ clip: 0 }, "clip must be a number in (0, inf), current value is 0"],
  [{ network: null }, "network must be an object of options, current value is null"],
  [{ network: { channels: 0 } }, "network.channels must be a number in [1, inf), current value is 0"],
  [[], "the options must be an object of options, current value is []"],
  ["x", 'the options must be an object of options, current value is "x"'],
];
for (const [given, says] of wrong) {
  test(`${JSON.stringify(given)} is refused`, () => {
    const error = thrown(() => parse(given));
    assert.is(error.code, "E_OPTION");
    assert.is(error.message, `Cannot configure dmd: ${says}`);
  });
}

test("settings are read from text and the last one wins", () => {
  const options = parseText(
    ["batch", "8"],
    ["rate", "1e-3"],
    ["gan", "false"],
    ["label", "8"],
    ["profile", "fastgen"],
    ["sigmas", "80, 10,0"],
    ["weights.gan", "3e-3"],
    ["weights.__proto__", "1"],
    ["clip", "5"],
    ["network.channels", "16"],
    ["network.channels", "64"],
  );
  assert.equal(JSON.parse(JSON.stringify(options)), {
    ...JSON.parse(JSON.stringify(parse({}))),
    batch: 8,
    rate: 1e-3,
    gan: false,
    label: "8",
    profile: "fastgen",
    sigmas: [80, 10, 0],
    weights: JSON.parse('{"gan": 3e-3, "__proto__": 1}'),
    clip: 5,
    network: { channels: 64 },
  });
  assert.equal(parseText(["sigmas", "[1, 2]"]).sigmas, [1, 2]);
  for (const nothing of ["", "none", "[]"]) assert.equal(parseText(["sigmas", nothing]).sigmas, []);
  assert.equal(parse({ sigmas: "none" }).sigmas, [], "in a config file");
  assert.is(parseText(["clip", "none"]).clip, undefined);
  assert.is(parseText(["clip", "off"]).clip, undefined);
  assert.is(parse({ clip: "none" }).clip, undefined, "in a config file");
  assert.equal(parseText(["network", '{"channels": 3}']).network, { channels: 3 });
});

test("settings keep what stands beside them", () => {
  const given = { batch: 2, weights: { gan: 1 } };
  const { batch, weights } = parse(laidOver(given, [["weights.dmd", "2"]]));
  assert.equal({ batch, weights }, { batch: 2, weights: { gan: 1, dmd: 2 } });
  assert.equal(given, { batch: 2, weights: { gan: 1 } }, "and leave what they are laid over alone");
});

test("a setting that cannot be read shows its text", () => {
  const error = thrown(() => parseText(["batch", "many"]));
  assert.match(error.message, 'batch must be a whole number in [1, 64], current value is "many"');
  assert.match(thrown(() => parseText(["batch", " "])).message, 'current value is " "');
  assert.match(thrown(() => parseText(["network.chanels", "1"])).message, 'did you mean "channels"?');
  const parts = thrown(() => parseText(["batch.size", "1"]));
  assert.is(parts.code, "E_UNKNOWN_OPTION");
  assert.match(parts.message, 'has no "size", set it as a whole');
});

test("readSetting: a name with more parts than any option is refused", () => {
  assert.is(readSetting(`${"a.".repeat(31)}a=1`)[1], "1");
  const { code, message } = thrown(() => readSetting(`start.generator${".a".repeat(30_000)}=1`));
  assert.is(code, "E_OPTION");
  assert.match(message, /its name has more than 32 parts/);
});

test("readSetting: a name, the first =, and any text", () => {
  assert.equal(readSetting("train.steps=500"), ["train.steps", "500"]);
  assert.equal(readSetting("dataset.folder=a=b"), ["dataset.folder", "a=b"]);
  assert.equal(readSetting("teacher.name="), ["teacher.name", ""]);
  for (const given of ["train.steps", "=5", ""]) {
    const error = thrown(() => readSetting(given));
    assert.is(error.code, "E_OPTION", given);
    assert.is(error.message, `Cannot read --set ${given}: expected name=value, such as train.steps=500`);
  }
});

test("a default is checked like any other value", () => {
  const bad = { size: number({ default: 0, min: 1, about: "a default out of range" }) };
  assert.is(thrown(() => parseOptions("bad", bad)).code, "E_OPTION");
});

test("listOptions: one row per option, groups flattened", () => {
  const rows = listOptions(specs);
  assert.is(rows.length, Object.keys(specs).length);
  assert.equal(rows.at(-1), {
    name: "network.channels",
    expected: "a number in [1, inf)",
    default: "32",
    about: "width of the first level",
  });
  assert.is(rows.find(({ name }) => name === "clip")?.default, "none");
});

test.run();
