import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ownerIn } from "../../../backends/host/claim.ts";
import { files } from "../../../backends/host/files.ts";
import type { OnestepError } from "../../../core/errors.ts";
import { bundle, deno } from "../webgpu/adapter/child.ts";

const test = suite<{ path: string; dir: string }>("claim");

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), "onestep-claim-"));
  context.path = join(context.dir, "run.lock");
});
test.after.each(({ dir }) => rm(dir, { recursive: true }));

const refused = async (path: string): Promise<OnestepError> => {
  const error = await files.claim!(path).then(
    () => undefined,
    (reason) => reason,
  );
  assert.is(error?.code, "E_RUN_EXISTS");
  return error;
};
const owner = async (path: string) => JSON.parse(await readFile(path, "utf8"));

test("one holds it, until it is released", async ({ path, dir }) => {
  const claim = await files.claim!(path);
  const { message } = await refused(path);
  assert.match(message, `Cannot claim ${path}: process ${process.pid} has been at work there since 20`);
  await claim.confirm();
  await claim.release();
  await claim.release();
  assert.equal(await files.list(dir), []);
  await (await files.claim!(path)).release();
});

test("of many at once, one gets it, also where a stale one is there", async ({ path, dir }) => {
  const first = await files.claim!(path);
  const own = await owner(path);
  await first.release();
  for (const stale of [false, true]) {
    if (stale) await writeFile(path, JSON.stringify({ ...own, id: "old", pid: 2 ** 30 }));
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => files.claim!(path)));
    const got = tries.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    assert.is(got.length, 1);
    await got[0].confirm();
    await got[0].release();
    assert.equal(await files.list(dir), []);
  }
});

test("a claim of a process that is no more is taken over, whatever became of its number or its machine", async ({
  path,
}) => {
  const claim = await files.claim!(path);
  const own = await owner(path);
  await claim.release();
  for (const stale of [
    { ...own, pid: 2 ** 30 },
    { ...own, id: "another" },
    { ...own, id: "another", pid: process.ppid, ticks: "1" },
    { ...own, id: "another", pid: process.ppid, boot: "before the last start" },
  ]) {
    await writeFile(path, JSON.stringify(stale));
    const taken = await files.claim!(path);
    await taken.confirm();
    await taken.release();
  }
  for (const text of ["", "{", "[]"]) {
    await writeFile(path, text);
    await (await files.claim!(path)).release();
  }
});

test("a claim of another machine, or of another container, holds as long as it gives signs of life", async ({
  path,
}) => {
  const claim = await files.claim!(path);
  const own = await owner(path);
  await claim.release();
  for (const far of [
    { ...own, id: "another", host: "elsewhere" },
    { ...own, id: "another", namespace: "pid:[1]" },
  ]) {
    await writeFile(path, JSON.stringify(far));
    assert.match((await refused(path)).fix, /^wait until it ends/);
    const silent = new Date(Date.now() - 6 * 60_000);
    await utimes(path, silent, silent);
    await (await files.claim!(path)).release();
  }
});

test("who has lost it is told, and does not take it from the other", async ({ path }) => {
  const claim = await files.claim!(path);
  const other = { ...(await owner(path)), id: "another" };
  await writeFile(path, JSON.stringify(other));
  assert.is((await claim.confirm().catch((error) => error)).code, "E_RUN_EXISTS");
  await claim.release();
  assert.is((await owner(path)).id, "another");
});

const HOLDS = `
import { writeSync } from "node:fs";
import { files } from "./host/files.ts";
await files.claim(process.argv[2]);
writeSync(1, "held");
if (process.argv[3] === "killed") process.kill(process.pid, "SIGKILL");
if (process.argv[3] === "exits") process.exit(3);
`;
for (const [name, command] of [
  ["Node", [process.execPath]],
  ["Deno", deno ? [deno, "run", "-A"] : undefined],
] as const)
  test(`${name}: other processes respect it, and it keeps none alive`, async ({ path, dir }) => {
    if (!command) return console.log(`not run: ${name} is not installed`);
    const ask = async (end = "returns") => {
      const [program, ...words] = [...command, await bundle(HOLDS), path, end];
      const child = spawn(program, words, { timeout: 15_000, env: { ...process.env, NODE_NO_WARNINGS: "1" } });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
      return new Promise<string>((resolve) => child.on("close", (code) => resolve(`${code} ${output}`)));
    };
    const claim = await files.claim!(path);
    assert.match(await ask(), `process ${process.pid} has been at work there since`);
    await claim.release();
    // One that ends lets go of it, however it does: on another machine nobody could ask whether it has ended.
    assert.is(await ask("exits"), "3 held");
    assert.equal(await files.list(dir), []);
    assert.is(await ask(), "0 held");
    assert.equal(await files.list(dir), []);
    // One that is killed can't. The next finds what it has left.
    if (process.platform !== "win32") assert.is(await ask("killed"), "null held");
    assert.is(await ask(), "0 held");
  });

test("a pipe in its place is refused and not waited for, and what names no process is no claim", async ({ path }) => {
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [path]);
  const error = await files.claim!(path).catch((reason) => reason);
  assert.is(`${error.code} ${error.message}`, `E_FILE Cannot claim ${path}: it is no plain file, one should be there`);
  const owner = { id: "a", pid: 7, host: "h", since: "", boot: "", namespace: "", ticks: "" };
  assert.equal(ownerIn(JSON.stringify(owner)), owner);
  for (const wrong of [{ pid: 0 }, { pid: -1 }, { pid: 1e300 }, { pid: "7" }, { host: {} }, { since: 5 }, { id: null }])
    assert.is(ownerIn(JSON.stringify({ ...owner, ...wrong })), undefined);
  for (const text of ["", "null", "[]", '{"id"']) assert.is(ownerIn(text), undefined);
});

test.run();
