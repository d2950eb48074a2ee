import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bytesOf, decodeNpy, openNpz, readNpyHeader } from "../../../core/io/mod.ts";
import { npyFile } from "../../helpers/npyFile.ts";
import { thrown } from "../../helpers/thrown.ts";
import { zipFile } from "../../helpers/zipFile.ts";

const test = suite("core/io/npy");

test("numbers of every type, with the shape they were stored in", () => {
  const cases: [descr: string, dtype: string, data: ArrayBufferView][] = [
    ["<f8", "F64", Float64Array.of(0.1, -2)],
    ["<f4", "F32", Float32Array.of(0.5, -2)],
    ["<f2", "F16", Uint16Array.of(0x3c00, 0xc000)],
    ["<i8", "I64", BigInt64Array.of(1n, -(2n ** 60n))],
    ["<i4", "I32", Int32Array.of(1, -2)],
    ["<i2", "I16", Int16Array.of(1, -2)],
    ["|i1", "I8", Int8Array.of(1, -2)],
    ["<u4", "U32", Uint32Array.of(1, 4e9)],
    ["<u2", "U16", Uint16Array.of(1, 65535)],
    ["|u1", "U8", Uint8Array.of(1, 255)],
    ["|b1", "BOOL", Uint8Array.of(1, 0)],
  ];
  for (const [descr, dtype, data] of cases)
    for (const version of [1, 2, 3] as const)
      assert.equal(decodeNpy(npyFile(descr, [2], data, { version })), { dtype, shape: [2], data });
});

test("types and shapes are read from the headers alone, packed or not", async () => {
  const random = Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i * i));
  const arrays = {
    "large.npy": npyFile("<f4", [300, 1000], random),
    "one.npy": npyFile("<i8", [], BigInt64Array.of(3n)),
    "long.npy": npyFile("|u1", [2], Uint8Array.of(1, 2), { version: 2 }),
  };
  for (const style of [{}, { deflate: true }, { deflate: true, descriptors: true }, { large: true }]) {
    const archive = zipFile(arrays, style);
    const source = bytesOf(archive, "a.npz");
    let read = 0;
    const counted = {
      ...source,
      read: (offset: number, length: number) => {
        read += length;
        return source.read(offset, length);
      },
    };
    const entries = await openNpz(counted);
    const headers = await Promise.all(Object.values(entries).map((entry) => entry.header()));
    assert.equal(headers, [
      { dtype: "F32", shape: [300, 1000] },
      { dtype: "I64", shape: [] },
      { dtype: "U8", shape: [2] },
    ]);
    assert.ok(read < 100_000, `${read} of ${archive.length} bytes`);
  }
  const header = (bytes: Uint8Array, size = bytes.length) =>
    readNpyHeader(async (length) => bytes.subarray(0, length), size, "a.npy").catch((error) => error.message);
  assert.match(await header(arrays["one.npy"], 999), /bytes of numbers, should have 8 for shape/);
  assert.match(await header(arrays["one.npy"].subarray(0, 30)), /header is cut short/);
  assert.match(await header(Uint8Array.of(...arrays["long.npy"].subarray(0, 8), 255, 255, 255, 0)), /claims to have/);
  const broken = zipFile({ "large.npy": arrays["large.npy"] }, { deflate: true });
  broken.fill(255, 39, 80);
  const [entry] = Object.values(await openNpz(bytesOf(broken, "b.npz")));
  assert.is((await entry.header().catch((error) => error)).code, "E_DATA");
});

test("one number, an axis of one, and nothing", () => {
  assert.equal(decodeNpy(npyFile("<f4", [], Float32Array.of(7))), {
    dtype: "F32",
    shape: [],
    data: Float32Array.of(7),
  });
  assert.equal(decodeNpy(npyFile("<f4", [1], Float32Array.of(7))).shape, [1]);
  assert.equal(decodeNpy(npyFile("<f4", [0, 3], new Float32Array(0))).shape, [0, 3]);
});

test("column-major and big-endian numbers are turned round", () => {
  // [[1, 2, 3], [4, 5, 6]] by columns
  const columns = npyFile("<i4", [2, 3], Int32Array.of(1, 4, 2, 5, 3, 6), { fortran: true });
  assert.equal([...(decodeNpy(columns).data as Int32Array)], [1, 2, 3, 4, 5, 6]);
  const cube = npyFile("|u1", [2, 2, 2], Uint8Array.of(0, 4, 2, 6, 1, 5, 3, 7), { fortran: true });
  assert.equal([...(decodeNpy(cube).data as Uint8Array)], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(decodeNpy(npyFile(">i2", [2], Uint8Array.of(1, 0, 255, 254))).data, Int16Array.of(256, -2));
});

test("what is damaged or holds no numbers is refused", () => {
  const whole = npyFile("<f4", [2], Float32Array.of(1, 2));
  const refusals: [bytes: Uint8Array, why: RegExp][] = [
    [whole.subarray(0, whole.length - 1), /7 bytes of numbers, should have 8/],
    [whole.subarray(0, 20), /header is cut short/],
    [whole.subarray(1), /does not begin/],
    [npyFile("<f4", [3], Float32Array.of(1, 2)), /should have 12 for shape \[3\]/],
    [npyFile("|O", [2], Float32Array.of(1, 2)), /type "\|O"/],
    [npyFile("<U8", [2], Float32Array.of(1, 2)), /type "<U8"/],
    [npyFile("|b1", [2], Uint8Array.of(1, 2)), /neither 0 nor 1/],
    [npyFile("<f4", [2 ** 31, 2 ** 31], Float32Array.of(1, 2)), /should have/],
  ];
  for (const [bytes, why] of refusals) {
    const error = thrown(() => decodeNpy(bytes, "a.npy"));
    assert.is(error.code, "E_DATA");
    assert.match(error.message, why);
    assert.match(error.message, "a.npy");
  }
});

test("the arrays of an archive, by name", async () => {
  const archive = zipFile(
    {
      "mu.npy": npyFile("<f8", [1], Float64Array.of(3)),
      "notes.txt": new Uint8Array(3),
      "arr_0.npy": npyFile("|u1", [2], Uint8Array.of(8, 9)),
    },
    { deflate: true },
  );
  const arrays = await openNpz(bytesOf(archive, "a.npz"));
  assert.equal(Object.keys(arrays), ["mu", "arr_0"]);
  assert.equal((await arrays.mu.read()).data, Float64Array.of(3));
});

test("sizes that are no sizes, and more axes than NumPy has, are refused", () => {
  for (const shape of [[0, 1e21], new Array<number>(65).fill(1)])
    assert.is(
      thrown(() => decodeNpy(npyFile("|u1", shape, new Uint8Array(shape.length === 65 ? 1 : 0)))).code,
      "E_DATA",
    );
  const header = npyFile("|u1", [0, 1], new Uint8Array(0));
  const text = new TextDecoder("latin1").decode(header).replace("(0, 1)", "(0, 99999999999999999999)");
  const odd = Uint8Array.from(text.slice(0, header.length - 15), (letter) => letter.charCodeAt(0));
  odd.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, odd.length - 10, 0]);
  assert.match(thrown(() => decodeNpy(odd)).message, /should have/);
});

test.run();
