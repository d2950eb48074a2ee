import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cacheFolder, makeOnce } from "../../../backends/host/cacheFolder.ts";

const test = suite<{ dir: string; env: NodeJS.ProcessEnv }>("cacheFolder");

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), "onestep-cache-"));
  context.env = { ...process.env };
});
test.after.each(async ({ dir, env }) => {
  for (const name of ["XDG_CACHE_HOME", "HOME", "TMPDIR"])
    if (env[name] === undefined) delete process.env[name];
    else process.env[name] = env[name];
  await rm(dir, { recursive: true });
});

test("prefers XDG_CACHE_HOME, then the home folder, then the temporary one", async ({ dir }) => {
  const [xdg, home, temporary] = ["xdg", "home", "tmp"].map((name) => join(dir, name));
  await mkdir(home);
  await mkdir(temporary);
  Object.assign(process.env, { XDG_CACHE_HOME: xdg, HOME: home, TMPDIR: temporary });
  assert.is(cacheFolder(), join(xdg, "onestep"));
  process.env.XDG_CACHE_HOME = join(dir, "no", "such", "place");
  assert.is(cacheFolder(), join(home, ".cache", "onestep"));
  process.env.HOME = "/proc/nothing/here";
  const last = cacheFolder();
  assert.is(last, join(temporary, `onestep-${process.getuid?.()}`));
  await chmod(last, 0o777);
  assert.throws(() => cacheFolder(), /no cache folder can be written/);
});

test("makes a folder once, whole, whoever comes first", async ({ dir }) => {
  const target = join(dir, "made");
  let filled = 0;
  const fill = async (folder: string) => {
    filled++;
    await writeFile(join(folder, "a"), "x");
    assert.not((await readdir(dir)).includes("made"), "not to be seen before it is whole");
    await writeFile(join(folder, "b"), "y");
  };
  await makeOnce(target, fill);
  await makeOnce(target, fill);
  assert.is(filled, 1);
  assert.equal(await readdir(target), ["a", "b"]);
  const other = join(dir, "other");
  const both = [1, 2, 3].map(() => makeOnce(other, (folder) => writeFile(join(folder, "a"), "x")));
  assert.equal(await Promise.all(both), [other, other, other]);
  assert.equal((await readdir(dir)).sort(), ["made", "other"]);
});

test("a failed fill leaves nothing", async ({ dir }) => {
  const fill = () => Promise.reject(new Error("disk is full"));
  const outcome = await makeOnce(join(dir, "made"), fill).catch((error) => error.message);
  assert.is(outcome, "disk is full");
  assert.equal(await readdir(dir), []);
});

test.run();
