import { gunzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bytesOf, inWindows, isTar, type TarEntry, tarEntries } from "../../../core/io/mod.ts";
import { joined } from "../../../core/tensor/mod.ts";
import { paxRecord, type TarStyle, tarEntryBytes, tarFile, tarHeaderBytes, withSum } from "../../helpers/tarFile.ts";

const test = suite("core/io/tar");

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
async function open(archive: Uint8Array): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const entry of tarEntries(bytesOf(archive, "a.tar"))) entries.push(entry);
  return entries;
}
async function contents(archive: Uint8Array): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await open(archive)) found[entry.name] = text(await entry.read());
  return found;
}

const LONG = `a/${"d".repeat(60)}/${"n".repeat(69)}.png`;
const files = { [LONG]: utf8("one"), "b.txt": utf8("two ".repeat(200)), "empty.cls": new Uint8Array() };
const expected = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, text(content)]));

const styles: Record<string, TarStyle> = {
  "with names divided as ustar does": { long: "ustar" },
  "with GNU's long names": { long: "gnu" },
  "with names in extended headers": { long: "pax", times: true },
  "with sizes in extended headers": { long: "pax", sizes: true },
  "with sizes in binary": { long: "gnu", binary: true },
};
for (const [name, style] of Object.entries(styles))
  test(`an archive ${name}`, async () => assert.equal(await contents(tarFile(files, style)), expected));

// Python 3.11, `tarfile.open(mode="w", format=…)`, mtime 1700000000.25: LONG, b.txt and a folder; gzip -9.
const python: Record<string, string> = {
  PAX_FORMAT:
    "H4sIAAAAAAACA+3VTQrCMBAF4Kx7ipwgmaRJuxJcuvQKkRbtoj/UiD2+raIgtghqq9j3wZAhmyySyRNSyOXaNavUJWnNRkEXQytpq279eV+RViHjDZvAYe9d3R7P5kmZiFfO7xZOJm+QxSeIqtgGOuS5z/J0oeLrixDaBgzGMMW1d1cYGTM4/0Rh+w6tNnFMptsPNemYccL8j64sUgzBjIkfyP9u2B/y3yD/p4C0nbeN8I0f+Ywn+a+Mofv8p6jtkP9T8MeSo1Co/vr3+U+yWrLv/v89fWR1+/9b/P8AAAAAAAAAAAAALzsB7jKaJwAoAAA=",
  GNU_FORMAT:
    "H4sIAAAAAAACA+3UUQqCQBCA4T2KJ3Bnddp97QBeoihEgjXMqOOnBEGgRJQF+n8wuOzLPsg/qU3tuqhjWVTxYKYhd2NfyZx7nO/3IWgwSWF+4HxqN02SmIXa2N0HbPyG9BhLg9n+/z5qrzrav0hunK4yDUG0v89d8F3/Qv+Tq+OeCBZsm7bXduI3XvTvVOW5f/EhF/r/hfZSJwzDDM/c+99VjTX/3f8DZ6++2/8r9j8AAAAAAAAAAMDbbswl/eoAKAAA",
  USTAR_FORMAT:
    "H4sIAAAAAAACA+3UQQrCMBCF4TlKT9AmzSQ9T6UiblKpET2+0Z1SUbBWqv8HwwxZJNm8iXEC5S5u5DGTBdVrz+575sSqr7VpjF7O1apzUhiZwWGf2iF/Zep726p7g8ylj2vB/1qV6ZQ+/MaT/FtVc5t/E/K08PwvRDr2BUVR4/Xr+e+2QyXf3f8jc/B13v+e/Q8AAAAAAAAAAAAALzsDYS13LQAoAAA=",
};
for (const [format, packed] of Object.entries(python))
  test(`an archive that Python has written with ${format}`, async () => {
    const archive = new Uint8Array(gunzipSync(Buffer.from(packed, "base64")));
    assert.ok(isTar(archive));
    assert.equal(await contents(archive), { [LONG]: "one", "b.txt": "two ".repeat(200) });
  });

test("an archive before ustar, and one with a header for all entries", async () => {
  const old = tarHeaderBytes("old.txt", 3);
  old.fill(0, 257, 265);
  old[156] = 0;
  const global = paxRecord("comment", "of all");
  const blocks = (content: Uint8Array) => joined([content, new Uint8Array(512 - content.length)]);
  const archive = joined([
    tarHeaderBytes("pax", global.length, "g"),
    blocks(global),
    withSum(old),
    blocks(utf8("old")),
    new Uint8Array(512),
  ]);
  assert.equal(await contents(archive), { "old.txt": "old" });
});

test("entries are read by their places, in any order, and headers in few calls", async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.txt`, utf8(`content ${i}`)]));
  const archive = tarFile(many);
  let calls = 0;
  const source = {
    ...bytesOf(archive, "a.tar"),
    async read(offset: number, length: number) {
      calls++;
      return archive.slice(offset, offset + length);
    },
  };
  const entries: TarEntry[] = [];
  for await (const entry of tarEntries(source)) entries.push(entry);
  assert.ok(calls < 10, `${calls} calls`);
  assert.is(text(await entries[250].read()), "content 250");
  assert.is(text(await entries[3].read(inWindows(source))), "content 3");
});

const header = (fields: Record<number, string>) => tarHeaderBytes("x.png", 3, "0", fields);
const ended = (...parts: Uint8Array[]) => joined([...parts, new Uint8Array(1024)]);
const whole = tarFile({ "a.png": utf8("one"), "b.png": utf8("x".repeat(600)) });
const spoilt = whole.slice();
spoilt[1024 + 3] ^= 1;
const binary = (...bytes: number[]) => {
  const block = header({});
  block.fill(0, 124, 136).set(bytes, 124);
  return withSum(block);
};
const pax = (content: Uint8Array) =>
  ended(tarHeaderBytes("pax", content.length, "x"), content, new Uint8Array(512 - content.length), header({}));
const refused: Record<string, [archive: Uint8Array, why: RegExp]> = {
  "nothing at all": [new Uint8Array(), /cut short at its beginning: it has 0 bytes/],
  zeros: [new Uint8Array(1024), /begins with zeros/],
  text: [utf8("no archive ".repeat(100)), /the header at its beginning does not fit its checksum/],
  "a damaged header": [spoilt, /the header after entry "a\.png" does not fit/],
  "an archive that ends in an entry": [whole.subarray(0, 1600), /entry "b\.png" is cut short: it has 64 of 600 bytes/],
  "an archive that ends behind an entry": [whole.subarray(0, 1024), /cut short after entry "a\.png": .* no end mark/],
  "two archives in one file": [joined([whole, whole]), /end mark after entry "b\.png", and something behind it/],
  "a link": [ended(tarHeaderBytes("l", 0, "1")), /entry "l" is a link to another, should be a plain file/],
  "a sparse file": [ended(tarHeaderBytes("s", 0, "S")), /stored without its holes/],
  "a sparse file of pax": [pax(paxRecord("GNU.sparse.major", "1")), /"x\.png" is stored without its holes/],
  "a size of 2⁷⁰": [ended(binary(0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)), /a size that is no number/],
  "a size of 8 TiB": [ended(binary(0x80, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0)), /cut short: it has 1024 of 8796093022208/],
  "a size below 0": [ended(binary(255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255)), /no number/],
  "a long name of 1 GiB": [ended(tarHeaderBytes("L", 2 ** 30, "L")), /should have 1048576 at most/],
  "a record that is too long": [pax(utf8("99 path=x\n")), /extended header at its beginning is damaged/],
  "a record without a value": [pax(utf8("7 path\n")), /extended header at its beginning is damaged/],
  "a size in words": [pax(paxRecord("size", "ten")), /says a size that is no number/],
  "a header for no entry": [ended(tarHeaderBytes("pax", 0, "x"), tarHeaderBytes("y", 0, "Z")), /type "Z"/],
  "a name for no entry": [
    ended(tarEntryBytes("a", utf8("x")), tarHeaderBytes("L", 2, "L"), joined([utf8("ab"), new Uint8Array(510)])),
    /ends after entry "a" with a header that stands for no entry/,
  ],
};
for (const [what, [archive, why]] of Object.entries(refused))
  test(`${what}: refused`, async () => {
    const error = await open(archive).then(
      () => undefined,
      (reason) => reason,
    );
    assert.is(error?.code, "E_DATA", String(error?.stack));
    assert.match(error.message, why);
    assert.match(error.message, /^Cannot read a\.tar: /);
  });

test.run();
