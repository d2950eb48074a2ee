/**
 * Event files of TensorBoard. A file is a row of TFRecords (tensorflow/core/lib/io/record_writer.h): the length of the data as u64,
 * the masked CRC-32C of these eight bytes, the data, their masked CRC-32C; all little-endian. The data are a protocol buffer `Event`
 * (tensorflow/core/util/event.proto), and that of the first record names the version of the format.
 */
import { crc32c } from "../../../core/io/mod.ts";
import type { ScalarFormat, StoredReading } from "./scalarFile.ts";
import type { ScalarReading } from "./scalars.ts";

/** Fields of the messages that are written: number << 3 | type, where 0 is a varint, 1 and 5 are 8 and 4 bytes, 2 has a length. */
const EVENT = { wallTime: 0x09, step: 0x10, fileVersion: 0x1a, summary: 0x2a };
const SUMMARY = { value: 0x0a };
const VALUE = { tag: 0x0a, simpleValue: 0x15 };

const VERSION = "brain.Event:2";
/** Bytes of a record besides its data: before them and behind. */
const [BEFORE, BEHIND] = [12, 4];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The format of `tensorboard`. */
export const tfEvents: ScalarFormat = {
  head: () => record([...double(EVENT.wallTime, now()), ...bytesField(EVENT.fileVersion, encoder.encode(VERSION))]),
  encode: ({ step, group, values }) => {
    const summary = Object.entries(values).flatMap(([name, value]) =>
      bytesField(SUMMARY.value, [...bytesField(VALUE.tag, encoder.encode(`${group}/${name}`)), ...float(value)]),
    );
    const event = [...double(EVENT.wallTime, now()), EVENT.step, ...varint(step)];
    return record([...event, ...bytesField(EVENT.summary, summary)]);
  },
  headEnd: (bytes) => {
    const first = dataAt(bytes, 0);
    return first && decoder.decode(first).endsWith(VERSION) ? BEFORE + first.length + BEHIND : undefined;
  },
  *readings(bytes, from): Generator<StoredReading> {
    for (let at = from; ; ) {
      const data = dataAt(bytes, at);
      const reading = data && readingIn(data);
      if (!data || !reading) return;
      at += BEFORE + data.length + BEHIND;
      yield { ...reading, end: at };
    }
  },
};

/** Seconds since 1970. */
const now = () => Date.now() / 1000;

/** A check sum in the form that is stored beside data which may hold check sums themselves. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function record(data: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(BEFORE + data.length + BEHIND);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, BEFORE);
  view.setUint32(BEFORE + data.length, masked(crc32c(bytes.subarray(BEFORE, BEFORE + data.length))), true);
  return bytes;
}

/** The data of a record; undefined where none begins, or it is cut or damaged. */
function dataAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (at + BEFORE > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  const length = Number(view.getBigUint64(0, true));
  const fits = view.getUint32(8, true) === masked(crc32c(bytes.subarray(at, at + 8)));
  if (!fits || BEFORE + length + BEHIND > view.byteLength) return undefined;
  const data = bytes.subarray(at + BEFORE, at + BEFORE + length);
  return view.getUint32(BEFORE + length, true) === masked(crc32c(data)) ? data : undefined;
}

/** Step and group of an event as `encode` writes them; undefined for any other. */
function readingIn(data: Uint8Array): Pick<ScalarReading, "step" | "group"> | undefined {
  if (data[0] !== EVENT.wallTime || data[9] !== EVENT.step) return undefined;
  let at = 10;
  const number = () => {
    let [value, factor] = [0, 1];
    for (; at < data.length; factor *= 128) {
      const byte = data[at++];
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    return value;
  };
  const step = number();
  let length = 0;
  // The tag of the first value.
  for (const field of [EVENT.summary, SUMMARY.value, VALUE.tag]) {
    if (data[at++] !== field) return undefined;
    length = number();
  }
  const parts = decoder.decode(data.subarray(at, at + length)).split("/");
  return { step, group: parts.slice(0, ["metrics", "diagnosis"].includes(parts[0]) ? 2 : 1).join("/") };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

const bytesField = (field: number, bytes: ArrayLike<number>): number[] => [
  field,
  ...varint(bytes.length),
  ...Array.from(bytes),
];

function double(field: number, value: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  return [field, ...new Uint8Array(view.buffer)];
}

function float(value: number): number[] {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value, true);
  return [VALUE.simpleValue, ...new Uint8Array(view.buffer)];
}
