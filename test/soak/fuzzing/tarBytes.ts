/** Tar archives as others might write them: sound ones, and such with faults in their headers. */
import { joined } from "../../../core/tensor/mod.ts";
import { paxRecord, type TarStyle, tarEntryBytes, tarHeaderBytes, withSum } from "../../helpers/tarFile.ts";
import { type Draw, utf8 } from "./draw.ts";

const BLOCK = 512;

/** The bytes of an archive with these files. */
export function tarBytes(
  draw: Draw,
  files: readonly (readonly [name: string, content: Uint8Array])[],
  soundness = 0.7,
): Uint8Array {
  const isSound = draw.chance(soundness);
  const style: TarStyle = {
    long: draw.pick(["gnu", "pax", "ustar"]),
    times: draw.chance(0.2),
    sizes: draw.chance(0.1),
    binary: draw.chance(0.1),
  };
  const parts = files.flatMap(([name, content]) => {
    const entry = tarEntryBytes(name, content, style);
    return isSound || draw.chance(0.7) ? [entry] : [oddHeader(draw), entry];
  });
  const whole = joined([...parts, new Uint8Array(isSound ? 1024 : draw.pick([0, BLOCK, 1024, 10_240]))]);
  if (isSound) return whole;
  return draw.chance(0.6) ? withOddField(draw, whole) : draw.damaged(whole, 0.2);
}

/** A header that stands before another: longer names, records of all kinds, types that do not exist. */
function oddHeader(draw: Draw): Uint8Array {
  const type = draw.pick(["x", "x", "g", "L", "K", "5", "1", "S", "V", "D", "7", draw.text(["z"], 0.5).slice(0, 1)]);
  const record = () =>
    draw.chance(0.8)
      ? paxRecord(
          draw.text(["path", "size", "mtime", "GNU.sparse.major", "comment"]),
          draw.text(["3", "a.png", "99999999999999999999"]),
        )
      : draw.bytes(draw.below(20));
  const content = "xg".includes(type)
    ? joined([new Uint8Array(0), ...draw.list(3, record)])
    : utf8(draw.text(["a.png\0", "dir/", "b"]));
  const size = draw.chance(0.9) ? content.length : draw.pick([0, 2 ** 20 + 1, 2 ** 31]);
  const rest = new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK);
  return joined([tarHeaderBytes("header", size, utf8(type).length === 1 ? type : "?"), content, rest]);
}

/** A field of one header overwritten, with the checksum that fits it. */
function withOddField(draw: Draw, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const blocks = Math.floor(copy.length / BLOCK);
  const headers = Array.from({ length: blocks }, (_, i) => i * BLOCK).filter((at) => copy[at + 257] === 0x75);
  if (headers.length === 0) return copy;
  const at = draw.pick(headers);
  const block = copy.subarray(at, at + BLOCK);
  const field = draw.pick([0, 124, 124, 124, 156, 257, 345]);
  const odd = draw.pick([
    utf8("77777777777\0"),
    utf8("00000000000\0"),
    utf8("-0000000001\0"),
    utf8("            "),
    Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255),
    Uint8Array.of(0x80, 127, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255),
    new Uint8Array(12).fill(255),
    draw.bytes(12),
  ]);
  block.set(odd.subarray(0, field === 156 ? 1 : 12), field);
  withSum(block);
  return copy;
}
