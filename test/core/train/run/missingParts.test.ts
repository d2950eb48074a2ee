import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failure, type OnestepError } from "../../../../core/errors.ts";
import { withAllParts } from "../../../../core/train/run/missingParts.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { tiny } from "../support.ts";

const test = suite("core/train/run/missingParts");

const files = memoryFiles({ "there.safetensors": "" });
const noData = async () => {
  throw failure("E_DATA", "Cannot load digits: no files", { fix: "put them there" });
};

async function refused(start: Record<string, string | null>, load: () => Promise<string>) {
  let dropped = 0;
  const error: OnestepError = await withAllParts({ ...tiny, start }, files, load, {
    rolesOf: () => ["teacher", "generator", "critic"],
    drop: async () => void dropped++,
  }).then(
    () => undefined,
    (reason) => reason,
  );
  return [error.code, error.message, error.fix, dropped];
}

test("what data and start lack is said at once", async () => {
  const start = { teacher: null, critic: "gone.safetensors", generator: "there.safetensors" };
  const whys =
    "start.teacher is not given, should be a safetensors file of its weights; and start.critic is gone.safetensors, and there is no such file";
  const fixes =
    "give the file of the teacher's weights with --set start.teacher=FILE; give the file of the critic's weights with --set start.critic=FILE";
  assert.equal(await refused(start, noData), [
    "E_DATA",
    `Cannot load digits: no files; and ${whys}`,
    `put them there; ${fixes}`,
    0,
  ]);
  assert.equal(await refused(start, async () => "data"), ["E_CONFIG", `Cannot start the run: ${whys}`, fixes, 1]);
});

test("with all of them, the data; other errors stay what they are", async () => {
  const load = async () => "data";
  const none = { rolesOf: () => ["generator"], drop: async () => {} };
  assert.is(await withAllParts({ ...tiny, start: { generator: "there.safetensors" } }, files, load, none), "data");
  assert.is(await withAllParts({ ...tiny, start: { nobody: null } }, files, load, none), "data", "refused by its name");
  assert.is(await withAllParts(tiny, undefined, load, none), "data");
  const [code] = await refused({ teacher: "nowhere" }, load);
  assert.is(code, "E_FILE");
  assert.equal(await refused({}, noData), ["E_DATA", "Cannot load digits: no files", "put them there", 0]);
});

test.run();
