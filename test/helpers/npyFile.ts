/** A `.npy` file as NumPy writes it: type such as `<f4`, shape, and the bytes of its numbers. */
export function npyFile(
  descr: string,
  shape: readonly number[],
  numbers: ArrayBufferView,
  { fortran = false, version = 1 }: { readonly fortran?: boolean; readonly version?: 1 | 2 | 3 } = {},
): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${sizes}), }`;
  const start = version === 1 ? 10 : 12;
  const header = new TextEncoder().encode(
    `${text.padEnd(Math.ceil((start + text.length + 1) / 64) * 64 - start - 1)}\n`,
  );
  const data = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const bytes = new Uint8Array(start + header.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, header.length, true);
  else view.setUint32(8, header.length, true);
  bytes.set(header, start);
  bytes.set(data, start + header.length);
  return bytes;
}
