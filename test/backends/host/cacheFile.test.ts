import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cachePath, hasCacheFolder, readCached, writeCached } from "../../../backends/host/cacheFile.ts";

const test = suite<{ dir: string; before?: string }>("backends/host/cacheFile");

test.before.each(async (context) => {
  context.before = process.env.XDG_CACHE_HOME;
  context.dir = await mkdtemp(join(tmpdir(), "onestep-cache-"));
  process.env.XDG_CACHE_HOME = context.dir;
});
test.after.each(async ({ dir, before }) => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  await rm(dir, { recursive: true });
});

const reasonOf = (work: Promise<unknown>) => work.then(String, (error: Error) => error.message);

test("reads what was written, whole, and leaves no drafts", async ({ dir }) => {
  assert.ok(hasCacheFolder());
  assert.is(await readCached("a.txt", 100), undefined);
  await writeCached("a.txt", "one");
  await writeCached("a.txt", "two");
  assert.is(await readCached("a.txt", 3), "two");
  assert.is(cachePath("a.txt"), join(dir, "onestep", "a.txt"));
  assert.is(await readFile(cachePath("a.txt"), "utf8"), "two");
  assert.equal(await readdir(join(dir, "onestep")), ["a.txt"]);
});

test("refuses what is too large or no file; a failed write leaves what was there", async ({ dir }) => {
  await writeCached("a.txt", "12345");
  assert.is(await reasonOf(readCached("a.txt", 4)), "it has 5 bytes, expected at most 4");
  await mkdir(cachePath("folder"));
  await writeFile(cachePath("folder/inside"), "x");
  assert.is(await reasonOf(readCached("folder", 100)), "it is no file");
  assert.match(await reasonOf(writeCached("folder", "text")), /EISDIR|ENOTEMPTY|EPERM|EEXIST/);
  assert.equal((await readdir(join(dir, "onestep"))).sort(), ["a.txt", "folder"]);
});

test("without all permissions Deno is not asked for a cache folder", () => {
  const host = globalThis as { Deno?: unknown };
  const before = Object.getOwnPropertyDescriptor(host, "Deno");
  const asked: string[] = [];
  const answering = (state: (name: string) => string) => ({
    permissions: {
      querySync: ({ name }: { name: string }) => {
        asked.push(name);
        return { state: state(name) };
      },
    },
  });
  try {
    host.Deno = answering((name) => (name === "write" ? "prompt" : "granted"));
    assert.not(hasCacheFolder());
    host.Deno = answering(() => "granted");
    assert.ok(hasCacheFolder());
    assert.ok(["env", "read", "sys", "write"].every((name) => asked.includes(name)));
  } finally {
    if (before) Object.defineProperty(host, "Deno", before);
    else delete host.Deno;
  }
});

test.run();
