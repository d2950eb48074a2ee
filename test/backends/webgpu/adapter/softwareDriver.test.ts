import { test } from "uvu";
import * as assert from "uvu/assert";
import { tarFiles } from "../../../../backends/webgpu/adapter/softwareDriver.ts";

/** One tar entry: a header with the fields that are read, then the contents in 512-byte blocks. */
function entry(name: string, contents: string, kind = "0"): Buffer {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write(contents.length.toString(8).padStart(11, "0"), 124);
  header.write(kind, 156);
  const padding = Buffer.alloc((512 - (contents.length % 512)) % 512);
  return Buffer.concat([header, Buffer.from(contents), padding]);
}

const end = Buffer.alloc(1024);
const read = (archive: Uint8Array) =>
  [...tarFiles(archive)].map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]);

test("reads the files of an archive, of any length, and skips folders and links", () => {
  const full = "x".repeat(512);
  const long = "y".repeat(1500);
  const archive = Buffer.concat([
    entry("folder/", "", "5"),
    entry("./empty", ""),
    entry("full", full, "\0"),
    entry("link", "", "2"),
    entry("long", long),
    end,
  ]);
  assert.equal(read(archive), [
    ["empty", ""],
    ["full", full],
    ["long", long],
  ]);
});

test("a truncated archive is an error, not a short file", () => {
  const archive = entry("a", "z".repeat(600));
  assert.throws(() => read(archive.subarray(0, 700)), /truncated/);
});

test("a size below zero is an error, and not read for ever", () => {
  const archive = entry("a", "");
  archive.write("-1000\0", 124);
  assert.throws(() => read(Buffer.concat([archive, end])), /truncated/);
});

test.run();
