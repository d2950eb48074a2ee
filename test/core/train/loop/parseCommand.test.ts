import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseCommand } from "../../../../core/train/loop/parseCommand.ts";
import { thrown } from "../../../helpers/thrown.ts";

const test = suite("core/train/loop/parseCommand");

test("every command is read", () => {
  for (const type of ["pause", "resume", "stop", "checkpoint", "sample", "evaluate"])
    assert.equal(parseCommand(JSON.stringify({ type })), { type });
  const set = { type: "set-weight", loss: "gan-generator", weight: 0.5 };
  assert.equal(parseCommand(JSON.stringify(set)), set);
});

test("anything else is refused with what was found", () => {
  const cases: [string, RegExp][] = [
    ["", /no JSON/],
    ["[]", /no object/],
    ["null", /no object/],
    ['{"type":"exit"}', /it says "exit"/],
    ['{"type":"__proto__"}', /it says "__proto__"/],
    ['{"type":"pause","now":true}', /"now", which no command has/],
    ['{"type":"pause","loss":"x"}', /it says "pause"/],
    ['{"type":"set-weight","weight":1}', /name of one/],
    ['{"type":"set-weight","loss":"x"}', /weight is undefined/],
    ['{"type":"set-weight","loss":"x","weight":-1}', /weight is -1/],
    ['{"type":"set-weight","loss":"x","weight":"1"}', /weight is "1"/],
    [`${"[".repeat(200)}`, /no JSON/],
  ];
  for (const [text, why] of cases) {
    const error = thrown(() => parseCommand(text));
    assert.is((error as { code?: string }).code, "E_OPTION", text);
    assert.match(String(error), why);
  }
});

test.run();
