/** NumPy's files as others might write them. */
import { joined } from "../../../core/tensor/mod.ts";
import { npyFile } from "../../helpers/npyFile.ts";
import type { Draw } from "./draw.ts";
import { utf8 } from "./draw.ts";

/** Bytes of a number, which the names of NumPy's types say. */
export const NPY_TYPES = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "|i1", "<u4", "<u2", "|u1", "|b1", ">f4", ">i8"];
const size = (descr: string) => Number(descr.slice(-1));

/** Numbers of a type: whole ones small, floating-point ones between −1 and 1 or, with `odd`, any bytes. */
function numbers(draw: Draw, descr: string, count: number, odd: number): Uint8Array {
  const most = descr.endsWith("b1") ? 2 : descr.endsWith("1") ? 256 : 4;
  if (descr === "<f8" || descr === "<f4") {
    const Type = descr === "<f8" ? Float64Array : Float32Array;
    return new Uint8Array(Type.from(Array.from({ length: count }, () => draw.float(odd))).buffer as ArrayBuffer);
  }
  return Uint8Array.from({ length: count * size(descr) }, (_, i) =>
    draw.chance(odd) ? draw.below(256) : i % size(descr) === 0 ? draw.below(most) : 0,
  );
}

/**
 * A `.npy` file of this type and shape, sound or with a header that lies.
 * @param values what a sound one of <f8 holds; any numbers without it
 */
export function npyBytes(
  draw: Draw,
  descr: string,
  shape: readonly number[],
  soundness = 0.7,
  values?: readonly number[],
): Uint8Array {
  const count = shape.reduce((product, each) => product * each, 1);
  const sound = draw.chance(soundness);
  const content =
    sound && values && descr === "<f8"
      ? new Uint8Array(Float64Array.from(values).buffer)
      : numbers(draw, descr, count, sound ? 0 : 0.02);
  const style = { fortran: draw.chance(0.3), version: draw.pick([1, 2, 3] as const) };
  if (sound) return npyFile(descr, shape, content, style);
  return draw.chance(0.5)
    ? draw.damaged(npyFile(descr, shape, content, style), 0.1)
    : withHeader(draw, oddHeader(draw, descr, shape), content);
}

/** What stands in a header, where everything may. */
function oddHeader(draw: Draw, descr: string, shape: readonly number[]): string {
  const sizes = () => {
    if (draw.chance(0.6)) return shape.join(", ");
    if (draw.chance(0.1)) return "1,".repeat(draw.pick([33, 1000, 30_000]));
    return draw
      .list(5, () =>
        draw.pick(["0", "1", "3", "4294967296", "9007199254740993", "1e9", "-1", " ", "1 2", "99999999999999999999"]),
      )
      .join(",");
  };
  const members = {
    descr: draw.chance(0.8)
      ? `'${descr}'`
      : draw.pick(["'|O'", "[('a', '<f4')]", "'<c8'", "'__proto__'", "'constructor'", "'<U3'"]),
    fortran_order: draw.pick(["False", "True", "False", "1", "None"]),
    shape: `(${sizes()}${draw.chance(0.9) ? ")" : ""}`,
  };
  const written = Object.entries(members)
    .filter(() => draw.chance(0.97))
    .map(([name, value]) => `'${name}':${" ".repeat(draw.chance(0.99) ? 1 : 20_000)}${value}, `);
  return `{${written.join("")}}\n`;
}

function withHeader(draw: Draw, text: string, content: Uint8Array): Uint8Array {
  const header = utf8(text);
  const version = header.length > 65_535 ? 2 : draw.pick([1, 1, 2, 3, 0, 9]);
  const long = version >= 2;
  const head = new Uint8Array(long ? 12 : 10);
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const length = draw.chance(0.95) ? header.length : draw.pick([0, 0xffff, header.length + 1]);
  const view = new DataView(head.buffer);
  if (long) view.setUint32(8, draw.chance(0.98) ? length : 0xffffffff, true);
  else view.setUint16(8, length, true);
  return joined([head, header, content]);
}
