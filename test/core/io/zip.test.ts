import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bytesOf, crc32, openZip } from "../../../core/io/mod.ts";
import { zipFile } from "../../helpers/zipFile.ts";

const test = suite("core/io/zip");

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);
const open = (archive: Uint8Array) => openZip(bytesOf(archive, "a.zip"));
const files = { "a/data.pkl": bytes("one"), "a/data/0": bytes("two ".repeat(100)), empty: new Uint8Array() };

test("CRC-32 of the check string, in one piece and in several", () => {
  assert.is(crc32(bytes("123456789")), 0xcbf43926);
  assert.is(crc32(bytes("56789"), crc32(bytes("1234"))), 0xcbf43926);
  assert.is(crc32(new Uint8Array()), 0);
});

const styles = {
  stored: {},
  deflated: { deflate: true },
  "written as a stream": { deflate: true, descriptors: true },
  "with fields of 64 bits": { large: true },
  "with a comment": { comment: "PK\x05\x06 is in here too" },
};
for (const [name, style] of Object.entries(styles))
  test(`an archive ${name}`, async () => {
    const entries = await open(zipFile(files, style));
    assert.equal(Object.keys(entries), Object.keys(files));
    for (const [file, content] of Object.entries(files)) {
      assert.is(entries[file].size, content.length);
      assert.is(text(await entries[file].read()), text(content));
    }
  });

test("a stored entry that holds the marks of an archive is read whole", async () => {
  const marks = Uint8Array.of(0x50, 0x4b, 7, 8, 0x50, 0x4b, 5, 6, ...new Uint8Array(40));
  const entries = await open(zipFile({ marks }, { descriptors: true }));
  assert.equal(await entries.marks.read(), marks);
});

test("an archive without entries has none", async () => assert.equal(Object.keys(await open(zipFile({}))), []));

async function refused(archive: Uint8Array, why: RegExp): Promise<void> {
  const error = await (async () => {
    for (const entry of Object.values(await open(archive))) await entry.read();
  })().then(
    () => undefined,
    (error) => error,
  );
  assert.is(error?.code, "E_DATA", `${error}`);
  assert.match(error.message, why);
}

test("what is cut short, damaged or no archive is refused", async () => {
  const whole = zipFile(files, { deflate: true });
  await refused(whole.subarray(0, whole.length - 1), /no complete zip archive/);
  await refused(bytes("not an archive at all, but long enough to be one"), /no complete zip archive/);
  await refused(new Uint8Array(), /no complete zip archive/);
  for (const at of [41, 86]) {
    const broken = whole.slice();
    broken[at] ^= 0x55;
    await refused(broken, /does not fit its size and checksum/);
  }
});

test("two entries of one name are refused", async () => {
  const archive = zipFile({ one: bytes("1"), two: bytes("2") });
  const twice = archive.slice();
  // The directory begins behind two headers of 30 bytes, two names and two bytes.
  for (let at = 68; at + 3 <= twice.length; at++)
    if (text(twice.subarray(at, at + 3)) === "two") twice.set(bytes("one"), at);
  await refused(twice, /two entries "one"/);
});

test("an entry that claims more than its bytes can hold is refused before it is unpacked", async () => {
  const archive = zipFile({ small: bytes("x".repeat(50)) }, { deflate: true });
  const view = new DataView(archive.buffer);
  const directory = view.getUint32(archive.length - 6, true);
  view.setUint32(directory + 24, 0xfffffff0, true);
  await refused(archive, /claims 4294967280 bytes out of/);
});

test("an entry that unpacks to more than it claims is refused", async () => {
  const archive = zipFile({ small: bytes("x".repeat(5000)) }, { deflate: true });
  const view = new DataView(archive.buffer);
  const directory = view.getUint32(archive.length - 6, true);
  view.setUint32(directory + 24, 10, true);
  await refused(archive, /does not fit its size and checksum/);
});

test("encrypted entries and other methods are refused by name", async () => {
  const directory = (archive: Uint8Array) => new DataView(archive.buffer).getUint32(archive.length - 6, true);
  const encrypted = zipFile({ secret: bytes("x") });
  encrypted[directory(encrypted) + 8] |= 1;
  await refused(encrypted, /"secret" is encrypted/);
  const other = zipFile({ packed: bytes("x") });
  other[directory(other) + 10] = 12;
  await refused(other, /packed by method 12/);
});

test("entries that share their bytes are refused", async () => {
  const one = zipFile({ a: new Uint8Array(1000) });
  const from = new DataView(one.buffer).getUint32(one.length - 6, true);
  const entry = one.subarray(from, one.length - 22);
  const end = one.slice(one.length - 22);
  const view = new DataView(end.buffer);
  for (const field of [8, 10]) view.setUint16(field, 2, true);
  view.setUint32(12, 2 * entry.length, true);
  const other = entry.slice();
  other[46] = 98; // the name, "b"
  await refused(
    Uint8Array.from([...one.subarray(0, from), ...entry, ...other, ...end]),
    /claim more bytes than it has/,
  );
});

test.run();
