import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeSafetensors, encodeSafetensors, type StoredTensor, toFloat32 } from "../../../core/io/safetensors.ts";
import { goldenBytes, goldenNames } from "../../helpers/golden.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/io/safetensors");

const everyDtype: Record<string, StoredTensor> = {
  "u8.odd": { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 255) },
  scalar: { dtype: "F32", shape: [], data: Float32Array.of(-0.5) },
  empty: { dtype: "F64", shape: [2, 0, 3], data: new Float64Array(0) },
  "net.weight": { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, Number.NaN) },
  f64: { dtype: "F64", shape: [1, 1], data: Float64Array.of(Math.PI) },
  half: { dtype: "F16", shape: [2], data: Uint16Array.of(0x3c00, 0xfc00) },
  brain: { dtype: "BF16", shape: [1], data: Uint16Array.of(0x3fc0) },
  eight: { dtype: "F8_E4M3", shape: [2], data: Uint8Array.of(0x38, 0xfe) },
  wide: { dtype: "F8_E5M2", shape: [2], data: Uint8Array.of(0x3c, 0xfc) },
  index: { dtype: "I64", shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) },
  label: { dtype: "I32", shape: [1], data: Int32Array.of(-7) },
  mask: { dtype: "BOOL", shape: [5], data: Uint8Array.of(1, 0, 0, 1, 1) },
  'ünïcode "name"': { dtype: "U8", shape: [1], data: Uint8Array.of(8) },
};

test("all dtypes, scalars, empty tensors and odd names come back as they were", () => {
  const bytes = encodeSafetensors(everyDtype, { note: "ä\n", "a.b": "" });
  const { tensors, metadata } = decodeSafetensors(bytes);
  assert.equal(Object.keys(tensors).sort(), Object.keys(everyDtype).sort());
  for (const [name, { dtype, shape, data }] of Object.entries(everyDtype)) {
    assert.equal([tensors[name].dtype, tensors[name].shape], [dtype, shape], name);
    assert.ok(Buffer.from(data.buffer).equals(bytesOf(tensors[name])), name);
  }
  assert.equal({ ...metadata }, { note: "ä\n", "a.b": "" });
});

test("written tensors are aligned, the header is padded, and equal input gives equal bytes", () => {
  const bytes = encodeSafetensors(everyDtype);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.is(length % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  for (const [name, { data }] of Object.entries(everyDtype))
    assert.is(header[name].data_offsets[0] % data.BYTES_PER_ELEMENT, 0, name);
  const shuffled = Object.fromEntries(Object.entries(everyDtype).reverse());
  assert.equal(encodeSafetensors(shuffled), bytes);
});

test("no tensors at all is a file too", () => {
  const { tensors } = decodeSafetensors(encodeSafetensors({}));
  assert.equal(Object.keys(tensors), []);
});

test("reads tensors that lie unaligned, also from the middle of a larger buffer", () => {
  const json =
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}';
  const data = Uint8Array.of(7, ...new Uint8Array(Float32Array.of(1.5).buffer));
  const file = compose(json, data);
  for (const shift of [0, 1, 2, 3, 4]) {
    const room = new Uint8Array(file.length + shift);
    room.set(file, shift);
    const { tensors } = decodeSafetensors(room.subarray(shift));
    assert.equal([...tensors.b.data], [1.5]);
    const pooled = decodeSafetensors(Buffer.from(room.buffer, shift)).tensors;
    assert.equal([...pooled.b.data], [1.5], `Buffer at ${shift}`);
  }
});

test("toFloat32 widens what is narrow and rounds what is wide", () => {
  const { tensors } = decodeSafetensors(encodeSafetensors(everyDtype));
  assert.equal([...toFloat32(tensors.half)], [1, -Infinity]);
  assert.equal([...toFloat32(tensors.brain)], [1.5]);
  assert.equal([...toFloat32(tensors.f64)], [Math.fround(Math.PI)]);
  assert.equal([...toFloat32(tensors.index)], [-1, 2 ** 62]);
  assert.is(toFloat32(tensors.scalar), tensors.scalar.data);
});

test("every golden case can be read", () => {
  for (const name of goldenNames()) {
    const { tensors } = decodeSafetensors(goldenBytes(`${name}.safetensors`), name);
    assert.ok(Object.keys(tensors).length > 0, name);
  }
});

for (const [file, message] of [
  ["bad_header_length", /its header is said to have 4611686018427387904 bytes, should have at most 1303$/],
  ["bad_json", /its header \(6 bytes\) is not JSON/],
  ["bad_offsets", /lies at bytes .* should lie within the/],
  ["bad_shape", /has \d+ bytes, should have \d+ for/],
] as const)
  test(`${file} is refused`, () => {
    refused(goldenBytes(`${file}.safetensors_bad`), message);
  });

const tensor = (dtype: unknown, shape: unknown, offsets: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });
const f32 = (begin: number, end: number) => tensor("F32", [(end - begin) / 4], [begin, end]);

for (const [what, json, dataBytes, message] of [
  ["an array as header", "[]", 0, /not a JSON object/],
  ["null as header", "null", 0, /not a JSON object/],
  ["a byte order mark", "\ufeff{}", 0, /not JSON/],
  ["overlapping tensors", `{"a":${f32(0, 8)},"b":${f32(4, 12)}}`, 12, /"b" begins at byte 4 .* should begin at 8/],
  ["a hole between tensors", `{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12, /"b" begins at byte 8/],
  ["bytes after the last tensor", `{"a":${f32(0, 4)}}`, 5, /has 5 bytes of data, should have 4/],
  ["data without tensors", "{}", 1, /has 1 bytes of data, should have 0/],
  ["a tensor twice", `{"a":${f32(0, 4)},"a":${f32(0, 4)}}`, 4, /holds "a" twice/],
  ["a shape twice", `{"a":{"dtype":"F32","shape":[9],"shape":[1],"data_offsets":[0,4]}}`, 4, /holds "shape" twice/],
  ["an unknown dtype", `{"a":${tensor("F4", [4], [0, 4])}}`, 4, /has dtype "F4", should be one of F64/],
  ["a dtype from the prototype", `{"a":${tensor("toString", [4], [0, 4])}}`, 4, /has dtype "toString"/],
  ["a negative size", `{"a":${tensor("F32", [-1, -1], [0, 4])}}`, 4, /has shape \[-1,-1\]/],
  ["a fractional size", `{"a":${tensor("U8", [0.5, 8], [0, 4])}}`, 4, /has shape/],
  ["sizes that overflow", `{"a":${tensor("F32", [2 ** 52, 2 ** 52, 2 ** 52], [0, 4])}}`, 4, /should have/],
  [
    "sizes beyond any number",
    `{"a":${tensor("F32", new Array(40).fill(2 ** 50).concat(0), [0, 4])}}`,
    4,
    /should have NaN/,
  ],
  ["a shape that is text", `{"a":${tensor("F32", "1", [0, 4])}}`, 4, /has shape "1"/],
  ["offsets that fall", `{"a":${tensor("F32", [1], [4, 0])}}`, 4, /lies at bytes 4 to 0/],
  ["three offsets", `{"a":${tensor("F32", [1], [0, 4, 4])}}`, 4, /has data_offsets \[0,4,4\]/],
  ["offsets that are text", `{"a":${tensor("F32", [1], ["0", "4"])}}`, 4, /has data_offsets/],
  ["an entry that is a number", `{"a":1}`, 0, /not described by an object/],
  ["a tensor called __proto__", `{"__proto__":${f32(0, 4)}}`, 4, /reserved name/],
  ["metadata that are not text", `{"__metadata__":{"a":1}}`, 0, /not an object of strings/],
  ["metadata called __proto__", `{"__metadata__":{"__proto__":"x"}}`, 0, /"__proto__"/],
  ["a BOOL of 2", `{"a":${tensor("BOOL", [1], [0, 1])}}`, 1, /byte above 1/],
] as const)
  test(`refuses ${what}`, () => {
    refused(compose(json, new Uint8Array(dataBytes).fill(2)), message);
  });

test("refuses every truncation of a good file", () => {
  const bytes = encodeSafetensors({ a: everyDtype["net.weight"], b: everyDtype["u8.odd"] });
  for (let length = 0; length < bytes.length; length++) refused(bytes.slice(0, length), /^Cannot read x: /);
});

test("a name from Object.prototype is data and nothing else", () => {
  const json = `{"hasOwnProperty":${f32(0, 4)},"toString":${f32(4, 8)}}`;
  const { tensors } = decodeSafetensors(compose(json, new Uint8Array(8)));
  assert.equal(Object.keys(tensors), ["hasOwnProperty", "toString"]);
  assert.is(Object.getPrototypeOf(tensors), null);
  assert.is(({} as Record<string, unknown>).dtype, undefined);
});

test("writing refuses data that do not fit", () => {
  const write =
    (tensor: unknown, name = "w") =>
    () =>
      encodeSafetensors(Object.fromEntries([[name, tensor]]) as Record<string, StoredTensor>);
  const data = new Float32Array(3);
  assert.throws(write({ dtype: "F32", shape: [2], data }), /"w": data has 3 elements, should have 2 for shape \[2\]$/);
  assert.throws(write({ dtype: "F64", shape: [3], data }), /data is a Float32Array, should be a Float64Array/);
  assert.throws(write({ dtype: "F99", shape: [3], data }), /dtype is F99, should be one of F64/);
  assert.throws(write({ dtype: "F32", shape: [-3], data }), /should have NaN/);
  assert.throws(write({ dtype: "F32", shape: [3], data }, "__proto__"), /reserved/);
  assert.throws(write({ dtype: "F32", shape: [3], data }, "__metadata__"), /reserved/);
});

function bytesOf({ data }: StoredTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function compose(json: string, data: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

function refused(bytes: Uint8Array, message: RegExp): void {
  try {
    decodeSafetensors(bytes, "x");
  } catch (error) {
    assert.is((error as { code: string }).code, "E_CHECKPOINT");
    assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable("should have been refused");
}

test("refuses headers whose names or values have no end, in one line", () => {
  const refusedHeader = (json: string) => {
    const text = new TextEncoder().encode(json);
    const bytes = new Uint8Array(8 + text.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    const { code, message } = thrown(() => decodeSafetensors(bytes, "x"));
    assert.is(code, "E_CHECKPOINT");
    assert.ok(message.length <= 3000, `a message of ${message.length} characters`);
    return message;
  };
  assert.match(
    refusedHeader(`{"${"a".repeat(10_000_000)}": 1}`),
    /^Cannot read x: tensor "aaa.*not described by an object/,
  );
  for (const member of ["dtype", "shape", "data_offsets"])
    assert.match(refusedHeader(`{"w": {"${member}": ${"[".repeat(1e5)}${"]".repeat(1e5)}}}`), /is not JSON/);
});

test.run();
