import { suite } from "uvu";
import * as assert from "uvu/assert";
import { token } from "../../../core/di/mod.ts";
import {
  choice,
  definePlugin,
  list,
  number,
  optional,
  type PluginKind,
  pluginOf,
  Registry,
  text,
} from "../../../core/plugin/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/plugin/registry");

const named = (kind: PluginKind, name: string) =>
  definePlugin({
    name,
    kind,
    token: token<string>(`${kind}-${name}`),
    about: "For the test",
    options: {
      scale: number({ default: 1, about: "factor" }),
      steps: list(number(), { default: [1, 2], about: "where to stop" }),
      mode: choice(["a", "b"], { default: "a", about: "which way" }),
      label: text({ default: "", about: "free text" }),
      clip: optional(number(), { about: "bound, or none" }),
    },
    create: () => name,
  });

const [heun, dmd, gan] = [named("sampler", "heun"), named("loss", "dmd"), named("loss", "gan")];
const registry = new Registry().register([gan, heun, dmd]);

test("list: all by kind and name, or one kind", () => {
  const names = (kind?: PluginKind) => registry.list(kind).map(({ definition }) => definition.name);
  assert.equal(names(), ["heun", "dmd", "gan"], "kinds in order of installation");
  assert.equal(names("loss"), ["dmd", "gan"]);
  assert.equal(names("critic"), []);
});

test("get: finds by kind and name", () => {
  assert.is(registry.get("loss", "dmd"), dmd);
  assert.ok(registry.has("sampler", "heun"));
  assert.not.ok(registry.has("loss", "heun"));
});

test("get: an unknown name suggests the nearest and lists all", () => {
  const error = thrown(() => registry.get("loss", "dmdd"));
  assert.is(error.code, "E_MISSING_PLUGIN");
  assert.is(
    error.message,
    'Cannot use loss "dmdd": it is not registered, should be one of dmd, gan, did you mean "dmd"?',
  );
  assert.match(thrown(() => registry.get("loss", "heun")).message, '"heun" is a sampler');
  assert.match(thrown(() => registry.get("critic", "x")).message, "it is not registered, no critic is");
});

test("register: the same plugin again is no fault, another of its name is", () => {
  const own = new Registry().register([dmd]).register([dmd], "./dmd.ts");
  const error = thrown(() => own.register([named("loss", "dmd")], "./mine.ts"));
  assert.is(error.code, "E_DUPLICATE_PLUGIN");
  assert.match(error.message, 'loss "dmd" from ./mine.ts: ./dmd.ts has a loss "dmd"');
  assert.is(thrown(() => own.register([{} as never], "./mine.ts")).code, "E_PLUGIN_FILE");
});

test("pluginOf: takes the default export and says what it is otherwise", () => {
  assert.is(pluginOf({ default: dmd }, "./dmd.ts"), dmd);
  const says = (module: unknown) => {
    const error = thrown(() => pluginOf(module, "./x.ts"));
    assert.is(error.code, "E_PLUGIN_FILE");
    return error.message;
  };
  assert.is(says({}), "Cannot use ./x.ts: it has no default export, it should be a plugin made with definePlugin");
  assert.match(says({ default: dmd() }), "already configured");
  assert.match(says({ default: () => 0 }), "of type function");
  assert.match(says({ default: [dmd] }), "of type array");
});

test.run();
