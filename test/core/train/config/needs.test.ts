import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EXTRACTORS, METRICS } from "../../../../core/interfaces/mod.ts";
import { definePlugin, number, Registry, text } from "../../../../core/plugin/mod.ts";
import { withNeeded } from "../../../../core/train/config/needs.ts";
import { mergeConfig, resolveConfig } from "../../../../core/train/mod.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { registry as standard, tiny } from "../support.ts";

const test = suite("core/train/config/needs");

const extractor = (name: string, needs?: string) =>
  definePlugin({
    name,
    kind: "extractor",
    token: EXTRACTORS,
    about: "An extractor of a test",
    options: { depth: number({ default: 1, about: "any number" }) },
    needs: ({ depth }) => (needs ? [{ kind: "extractor", use: needs, options: { depth: depth + 1 } }] : []),
    create: (): never => assert.unreachable() as never,
  });
const [eye, glasses] = [extractor("eye"), extractor("glasses", "eye")];

/** A metric that looks through an extractor. */
const metric = (name: string, use = "eye") =>
  definePlugin({
    name,
    kind: "metric",
    token: METRICS,
    about: "A metric of a test",
    options: {
      depth: number({ default: 5, about: "depth of the extractor" }),
      note: text({ default: "", about: "any text" }),
    },
    needs: ({ depth, note }) => (note === "blind" ? [] : [{ kind: "extractor", use, options: { depth } }]),
    create: (): never => assert.unreachable() as never,
  });
const [looks, stares, peers] = [metric("looks"), metric("stares"), metric("peers", "glasses")];

const registry = new Registry().register([eye, glasses, looks, stares, peers]);
const shown = (...given: Parameters<typeof withNeeded>[0]) =>
  withNeeded(given, registry).map(({ name, options }) => [name, options.depth]);

test("a needed plugin comes behind the config's, with the options that were asked for", () => {
  assert.equal(shown(looks({ depth: 3 })), [
    ["looks", 3],
    ["eye", 3],
  ]);
  assert.equal(shown(looks({ note: "blind" })), [["looks", 5]], "needs follow from the options");
  assert.equal(shown(eye()), [["eye", 1]]);
});

test("the config's own wins, wherever it stands", () => {
  const wanted = [
    ["eye", 9],
    ["looks", 3],
    ["stares", 4],
  ];
  assert.equal(shown(eye({ depth: 9 }), looks({ depth: 3 }), stares({ depth: 4 })), wanted);
  assert.equal(shown(looks({ depth: 3 }), eye({ depth: 9 })), [wanted[1], wanted[0]]);
});

test("what is needed may need something itself", () => {
  assert.equal(shown(peers({ depth: 3 })), [
    ["peers", 3],
    ["glasses", 3],
    ["eye", 4],
  ]);
  assert.equal(shown(peers({ depth: 3 }), looks({ depth: 4 })), [
    ["peers", 3],
    ["looks", 4],
    ["glasses", 3],
    ["eye", 4],
  ]);
});

test("two may share one, with the same options only", () => {
  assert.equal(shown(looks({ depth: 3 }), stares({ depth: 3 })).length, 3);
  const { code, message, fix } = thrown(() => shown(looks({ depth: 3 }), stares({ depth: 4 })));
  assert.is(code, "E_CONFIG");
  assert.is(
    message,
    'Cannot use one extractor "eye" for both: looks asks for {"depth":3} and stares for {"depth":4}, should be the same',
  );
  assert.is(fix, "say which with extractors.eye in the config");
});

test("a needed plugin that is not registered, and options that it does not have", () => {
  const { code, message } = thrown(() => withNeeded([looks()], new Registry().register([glasses])));
  assert.is(code, "E_MISSING_PLUGIN");
  assert.match(message, /^Cannot use extractor "eye": it is not registered, should be one of glasses/);
  const wrong = definePlugin({
    ...looks.definition,
    needs: () => [{ kind: "extractor", use: "eye", options: { width: 3 } }],
  });
  assert.is(thrown(() => shown(wrong())).code, "E_UNKNOWN_OPTION");
});

test("resolveConfig: adds what is needed and leaves the config as it was given", () => {
  const all = standard().register([eye, looks, stares]);
  const resolve = (over: object) => resolveConfig(mergeConfig(tiny, over), all);
  const eyes = ({ plugins }: ReturnType<typeof resolve>) =>
    plugins.filter(({ kind }) => kind === "extractor").map(({ options }) => options.depth);
  const added = resolve({ metrics: { looks: { depth: 3 } } });
  assert.equal(eyes(added), [3]);
  assert.equal(added.config.extractors, {});
  assert.equal(eyes(resolveConfig(added.config, all)), [3], "it repeats from the stored config");
  const own = resolve({ metrics: { looks: {}, stares: { depth: 2 } }, extractors: { eye: {} } });
  assert.equal(eyes(own), [1]);
  assert.equal(own.config.extractors, { eye: { use: "eye", depth: 1 } });
  assert.equal(eyes(resolve({})), []);
});

test.run();
