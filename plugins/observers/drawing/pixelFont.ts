/**
 * A 5 x 7 pixel font, for short labels in pictures that have no text engine. Capitals are drawn as small letters.
 * Each glyph is seven rows from the top, two hexadecimal digits per row, bit 4 being the leftmost pixel.
 */
const glyphs: Readonly<Record<string, string>> = {
  a: "00000e010f110f",
  b: "10101e1111111e",
  c: "00000e1110110e",
  d: "01010f1111110f",
  e: "00000e111f100e",
  f: "0609081c080808",
  g: "00000f110f010e",
  h: "10101619111111",
  i: "04000c0404040e",
  j: "0200060202120c",
  k: "10101214181412",
  l: "0c04040404040e",
  m: "00001a15151515",
  n: "00001619111111",
  o: "00000e1111110e",
  p: "00001e111e1010",
  q: "00000d130f0101",
  r: "00001619101010",
  s: "00000f100e011e",
  t: "08081c08080906",
  u: "0000111111130d",
  v: "00001111110a04",
  w: "0000111115150a",
  x: "0000110a040a11",
  y: "000011110f010e",
  z: "00001f0204081f",
  "0": "0e11131519110e",
  "1": "040c040404040e",
  "2": "0e11010204081f",
  "3": "1f02040201110e",
  "4": "02060a121f0202",
  "5": "1f101e0101110e",
  "6": "0608101e11110e",
  "7": "1f010204080808",
  "8": "0e11110e11110e",
  "9": "0e11110f01020c",
  ".": "00000000000c0c",
  ",": "000000000c0408",
  ":": "000c0c000c0c00",
  "-": "0000001f000000",
  "+": "0004041f040400",
  "=": "00001f001f0000",
  "/": "00010204081000",
  "(": "02040808080402",
  ")": "08040202020408",
  _: "0000000000001f",
  "?": "0e110102040004",
  "%": "18190204081303",
  " ": "00000000000000",
};

/** Width of one letter cell (5 pixels and a gap) and height of a line, in font pixels. */
export const cell = { width: 6, height: 7 } as const;

/**
 * Calls `dot(x, y)` for every set pixel of `text`, counted from the top left of its first letter.
 * A character the font does not have is drawn as a full block.
 */
export function drawText(text: string, dot: (x: number, y: number) => void): void {
  [...text.toLowerCase()].forEach((letter, index) => {
    const rows = glyphs[letter] ?? "1f".repeat(cell.height);
    for (let y = 0; y < cell.height; y++) {
      const row = Number.parseInt(rows.slice(2 * y, 2 * y + 2), 16);
      for (let x = 0; x < 5; x++) if (row & (0x10 >> x)) dot(index * cell.width + x, y);
    }
  });
}
