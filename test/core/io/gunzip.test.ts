import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { gunzip } from "../../../core/io/gunzip.ts";
import { gzipMembers } from "../../../core/io/gzipMembers.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";

const test = suite("core/io/gunzip");

const packed = (text: string) => new Uint8Array(gzipSync(text));
const after = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === bytes.length + at ? byte ^ 1 : byte));
const text = async (bytes: Uint8Array) => new TextDecoder().decode(await gunzip(bytes, "x.gz", () => 10_000));
const [whole, first, second, empty] = ["hello", "hel", "lo", ""].map(packed);
const padding = new Uint8Array(512);

// How runtimes differ: Node 24 and Deno refuse what follows a member, Node 20 takes members and passes over all else.
for (const [what, bytes] of Object.entries({
  "one member": whole,
  "several members": after(first, second),
  "empty members": after(empty, first, empty, second, empty),
  padding: after(whole, padding),
  "padding between members": after(first, padding, second, padding),
}))
  test(`reads ${what}`, async () => assert.is(await text(bytes), "hello"));

test("of a file of members without content there is nothing", async () =>
  assert.is(await text(after(empty, empty)), ""));

for (const [what, bytes] of Object.entries({
  "something else behind a member": after(whole, Uint8Array.of(1, 2, 3)),
  "a second member that is cut": after(first, second.subarray(0, 15)),
  "a second member with a wrong checksum": flipped(after(first, second), -6),
  "an empty member with a wrong checksum": after(flipped(empty, -6), whole),
  "more members than anybody writes": after(...new Array<Uint8Array>(4001).fill(packed("a"))),
}))
  test(`refuses ${what}`, async () => {
    const error = await text(bytes).catch((reason) => reason);
    assert.is(error.code, "E_DATA");
    assert.match(error.message, /^Cannot unpack x\.gz: /);
  });

test("stops at the limit, in whatever member that is", async () => {
  const long = packed("a".repeat(100_000));
  const { length } = await gunzip(after(long, long, long), "x", () => 150_000);
  assert.ok(length > 150_000 && length < 300_000, `${length} bytes`);
});

test("gzipMembers: finds the end of every stream that zlib writes, and its size", () => {
  for (let i = 0; i < 300; i++) {
    const random = hostRandom(5, i, 0);
    const letters = 1 + Math.floor(random() * 256);
    const run = random() < 0.3 ? 40 : 1;
    let value = 0;
    const content = Uint8Array.from({ length: Math.floor(random() * 3000) }, (_, at) => {
      if (at % run === 0) value = Math.floor(random() ** 3 * letters);
      return value;
    });
    const bytes = new Uint8Array(gzipSync(content, { level: i % 10, strategy: i % 5 }));
    const members = gzipMembers(after(bytes, bytes));
    const size = content.length;
    const expected = [0, bytes.length].map((begin) => ({ begin, end: begin + bytes.length, size }));
    assert.equal(members, size > 0 ? expected : []);
    assert.is(gzipMembers(bytes.subarray(0, Math.floor(random() * bytes.length)))?.length || undefined, undefined);
  }
});

test.run();
