import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import type { OnestepError } from "../../../core/errors.ts";

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

async function failureOf(action: Promise<unknown>): Promise<OnestepError> {
  const outcome = await action.then(() => undefined).catch((error) => error);
  assert.instance(outcome, Error);
  return outcome;
}

test.run();
