/**
 * Undoes the filters of the rows of a PNG picture, in place: adds to every byte its prediction from the bytes to the left (a),
 * above (b) and above left (c). W3C PNG, section 9. False for a filter that there is not.
 * @param rows each a byte that names its filter, then `rowBytes`
 * @param pixel bytes from one pixel to the next, at least 1
 */
export function unfilter(rows: Uint8Array, rowBytes: number, pixel: number): boolean {
  const stride = 1 + rowBytes;
  let above: Uint8Array = new Uint8Array(rowBytes);
  for (let at = 0; at < rows.length; at += stride) {
    const row = rows.subarray(at + 1, at + stride);
    switch (rows[at]) {
      case 0:
        break;
      case 1:
        for (let i = pixel; i < rowBytes; i++) row[i] += row[i - pixel];
        break;
      case 2:
        for (let i = 0; i < rowBytes; i++) row[i] += above[i];
        break;
      case 3:
        for (let i = 0; i < rowBytes; i++) row[i] += ((i < pixel ? 0 : row[i - pixel]) + above[i]) >> 1;
        break;
      case 4:
        paeth(row, above, pixel);
        break;
      default:
        return false;
    }
    above = row;
  }
  return true;
}

/** Of a, b and c the one that a + b − c is nearest to; the first of them where two are as near. */
function paeth(row: Uint8Array, above: Uint8Array, pixel: number): void {
  // Left of the first pixel a and c are 0, so that b is the nearest.
  for (let i = 0; i < Math.min(pixel, row.length); i++) row[i] += above[i];
  for (let i = pixel; i < row.length; i++) {
    const a = row[i - pixel];
    const b = above[i];
    const c = above[i - pixel];
    const toA = Math.abs(b - c);
    const toB = Math.abs(a - c);
    const toC = Math.abs(a + b - 2 * c);
    row[i] += toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
  }
}
