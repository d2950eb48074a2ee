import { suite } from "uvu";
import * as assert from "uvu/assert";
import { token } from "../../../core/di/mod.ts";
import { choice, definePlugin, list, number, optional, text } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";

const test = suite("core/testing/checkPlugin");

const dmd = definePlugin({
  name: "dmd",
  kind: "loss",
  token: token<string>("dmd"),
  about: "For the test",
  options: {
    scale: number({ default: 1, about: "factor" }),
    steps: list(number(), { default: [1, 2], about: "where to stop" }),
    mode: choice(["a", "b"], { default: "a", about: "which way" }),
    label: text({ default: "", about: "free text" }),
    clip: optional(number(), { about: "bound, or none" }),
  },
  create: () => "dmd",
});

test("passes a sound plugin", () => {
  checkPlugin(dmd, { scale: 3, steps: [], mode: "b", label: "none", clip: 2 });
});

test("lists what is wrong", () => {
  const problems = (plugin: unknown, given?: unknown) => {
    try {
      checkPlugin(plugin as never, given ?? {});
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  const { definition } = dmd;
  assert.match(
    problems(() => 0),
    "was not made with definePlugin",
  );
  assert.match(problems(dmd, { scale: "x" }), "scale must be a number");
  const silent = definePlugin({ ...definition, about: "", options: {} });
  assert.match(problems(silent), "about is empty");
  const options = { size: number({ default: 0, min: 1, about: "" }) };
  const bad = problems(definePlugin({ ...definition, options }));
  assert.match(bad, "option size has an empty about");
  assert.match(bad, "size must be a number in [1, inf), current value is 0");
});

test.run();
