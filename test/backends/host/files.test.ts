import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import type { OnestepError } from "../../../core/errors.ts";
import { isDiskFull, isDraft } from "../../../core/io/mod.ts";
import { bundle } from "../webgpu/adapter/child.ts";

const test = suite<{ dir: string }>("files");
const bytes = (text: string) => new TextEncoder().encode(text);
const text = async (path: string) => new TextDecoder().decode(await files.read(path));

test.before.each(async (context) => {
  context.dir = await mkdtemp(files.join(tmpdir(), "onestep-files-"));
});
test.after.each(({ dir }) => rm(dir, { recursive: true }));

test("writes, replaces, reads, measures", async ({ dir }) => {
  const path = files.join(dir, "a");
  await files.write(path, bytes("hello"));
  await files.write(path, bytes("hi"));
  assert.is(await text(path), "hi");
  assert.is(await files.size(path), 2);
  await files.write(path, new Uint8Array(0));
  assert.is((await files.read(path)).length, 0);
  assert.equal(await files.list(dir), ["a"], "no draft is left");
});

test("writes only the bytes of a view", async ({ dir }) => {
  const path = files.join(dir, "a");
  await files.write(path, bytes("abcdef").subarray(2, 4));
  assert.is(await text(path), "cd");
});

test("a failed write leaves the old file and no draft", async ({ dir }) => {
  const target = files.join(dir, "folder");
  await mkdir(target);
  await writeFile(files.join(target, "kept"), "");
  const error = await failureOf(files.write(target, bytes("x")));
  assert.is(error.code, "E_FILE");
  assert.equal(await readdir(dir), ["folder"]);
  assert.ok(await files.exists(files.join(target, "kept")));
});

test("concurrent writers leave one whole file", async ({ dir }) => {
  const path = files.join(dir, "a");
  const versions = ["a", "b", "c", "d"].map((letter) => letter.repeat(100_000));
  await Promise.all(versions.map((version) => files.write(path, bytes(version))));
  assert.ok(versions.includes(await text(path)));
  assert.equal(await files.list(dir), ["a"]);
});

test("reads a range, exactly or not at all", async ({ dir }) => {
  const path = files.join(dir, "a");
  await files.write(path, bytes("0123456789"));
  assert.is(new TextDecoder().decode(await files.readRange(path, 3, 4)), "3456");
  assert.is((await files.readRange(path, 10, 0)).length, 0);
  const { message } = await failureOf(files.readRange(path, 8, 4));
  assert.is(message, `Cannot read 4 bytes at 8 of ${path}: the file ends at byte 10`);
});

test("reads parts of a file beyond 4 GiB", async ({ dir }) => {
  const path = files.join(dir, "sparse");
  await writeFile(path, "");
  await truncate(path, 5 * 2 ** 30);
  await files.append(path, "end");
  assert.is(await files.size(path), 5 * 2 ** 30 + 3);
  assert.equal(await files.readRange(path, 5 * 2 ** 30, 3), bytes("end"));
});

test("appends, lists in order, makes and removes folders", async ({ dir }) => {
  const log = files.join(dir, "z", "y", "log");
  await files.makeDir(files.join(dir, "z", "y"));
  await files.makeDir(files.join(dir, "z", "y"));
  await files.append(log, "one\n");
  await files.append(log, "zwölf\n");
  assert.is(await text(log), "one\nzwölf\n");
  await files.write(files.join(dir, "b"), bytes(""));
  assert.equal(await files.list(dir), ["b", "z"]);
  await files.remove(files.join(dir, "z"));
  await files.remove(files.join(dir, "z"));
  assert.not(await files.exists(log));
});

test("errors name the path and the reason", async ({ dir }) => {
  const missing = files.join(dir, "missing");
  const plain = files.join(dir, "plain");
  await files.write(plain, bytes("x"));
  const cases: [() => Promise<unknown>, string][] = [
    [() => files.read(missing), `Cannot read ${missing}: there is no such file or folder`],
    [() => files.read(dir), `Cannot read ${dir}: it is a folder, a file should be there`],
    [() => files.list(missing), `Cannot list ${missing}: there is no such file or folder`],
    [() => files.list(plain), `Cannot list ${plain}: a part of the path is a file, a folder should be there`],
    [() => files.makeDir(plain), `Cannot make folder ${plain}: a file of that name is in the way`],
    [
      () => files.write(files.join(missing, "a"), bytes("")),
      `Cannot write ${missing}/a: there is no such file or folder`,
    ],
    [() => files.append(dir, ""), `Cannot append to ${dir}: it is a folder, a file should be there`],
  ];
  for (const [action, message] of cases) {
    const error = await failureOf(action());
    assert.is(error.code, "E_FILE");
    assert.is(error.message, message);
  }
});

test("folders are made one in the other, also beside those that are there", async ({ dir }) => {
  const path = files.join(dir, "a/b/c");
  await files.makeDir(path);
  await files.makeDir(path);
  await files.makeDir(files.join(dir, "a/b/d/"));
  assert.equal(await files.list(files.join(dir, "a/b")), ["c", "d"]);
});

test("writes what comes in parts, one after another; if one fails, the old file stays", async ({ dir }) => {
  const path = files.join(dir, "a");
  async function* parts(fails = false) {
    yield bytes("one ");
    yield bytes("");
    if (fails) throw new Error("lost");
    yield bytes("two");
  }
  await files.write(path, parts());
  assert.is(await text(path), "one two");
  assert.match((await failureOf(files.write(path, parts(true)))).message, /lost$/);
  assert.is(await text(path), "one two");
  assert.equal(await files.list(dir), ["a"]);
});

test("cuts a file, and tells the room on the disk", async ({ dir }) => {
  const path = files.join(dir, "a");
  await files.write(path, bytes("one\ntw"));
  await files.truncate(path, 4);
  assert.is(await text(path), "one\n");
  assert.ok((await files.space!(dir))! > 0);
  assert.is(await files.space!(files.join(dir, "missing")), undefined);
});

test("a name of a draft is told from others", () => {
  for (const name of ["config.json.12-0123abcd.tmp", "manifest.msgpack.1-ab34cd.tmp"]) assert.ok(isDraft(name), name);
  for (const name of ["config.json", "notes.tmp", "a.12-xyz.tmp", "12-0123abcd.tmp.txt"])
    assert.not(isDraft(name), name);
});

test("a pipe or a device where a file should be is refused, and not waited for", async ({ dir }) => {
  if (process.platform === "win32") return;
  const pipe = files.join(dir, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const path of [pipe, "/dev/zero"])
    for (const action of [
      () => files.read(path),
      () => files.readRange(path, 0, 1),
      () => files.size(path),
      () => files.append(path, "x"),
      () => files.truncate(path, 0),
    ])
      assert.match(
        (await failureOf(action())).message,
        `${path}: it is a pipe, a socket or a device, a file should be there`,
      );
});

test("a file that no array can hold says so", async ({ dir }) => {
  const path = files.join(dir, "sparse");
  await writeFile(path, "");
  await truncate(path, 2 ** 53 - 2 ** 20).catch(() => truncate(path, 8 * 2 ** 40));
  const { message, fix } = await failureOf(files.read(path));
  assert.match(message, /sparse: it is larger than one array can be$/);
  assert.match(fix, /^split the file/);
});

test("what is wrong with the disk is told as such, with what helps", async ({ dir }) => {
  if (process.platform !== "linux") return;
  const program = await bundle(
    `import { files } from "./host/files.ts";
    const [what, dir] = process.argv.slice(2);
    const big = new Uint8Array(100_000);
    const error = await (what === "large" ? files.write(dir + "/large", big) : openMany(dir)).catch((e) => e);
    console.log(error.code, error.message, error.fix);
    async function openMany(dir) {
      await files.write(dir + "/a", big);
      const { openSync } = await import("node:fs");
      try { for (;;) openSync(dir + "/a"); } catch {}
      await files.read(dir + "/a");
    }`,
  );
  const limited = (limit: string, what: string) =>
    execFileSync("bash", ["-c", `ulimit ${limit}; exec "${process.execPath}" "${program}" ${what} "${dir}"`], {
      encoding: "utf8",
    });
  assert.match(
    limited("-f 10", "large"),
    /^E_FILE Cannot write .*larger than files may be here choose a folder on another/,
  );
  assert.match(limited("-n 40", "many"), /^E_FILE Cannot read .*too many files are open raise the limit: `ulimit -n/);
});

test("a full disk is told from other failures", () => {
  const failed = (code: string) => Object.assign(new Error(), { cause: Object.assign(new Error(), { code }) });
  assert.ok(isDiskFull(failed("ENOSPC")) && isDiskFull(failed("EDQUOT")));
  assert.not(isDiskFull(failed("EROFS")) || isDiskFull(new Error()) || isDiskFull(undefined));
});

async function failureOf(action: Promise<unknown>): Promise<OnestepError> {
  const outcome = await action.then(() => undefined).catch((error) => error);
  assert.instance(outcome, Error);
  return outcome;
}

test("a pipe or a device is never replaced by a file", async ({ dir }) => {
  if (process.platform === "win32") return;
  const pipe = files.join(dir, "pipe");
  execFileSync("mkfifo", [pipe]);
  assert.match((await failureOf(files.write(pipe, bytes("x")))).message, /it is a pipe, a socket or a device/);
  assert.ok((await stat(pipe)).isFIFO());
  assert.equal(await files.list(dir), ["pipe"], "no draft is left");
});

test.run();
