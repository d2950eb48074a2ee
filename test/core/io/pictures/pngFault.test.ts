import { suite } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../../../core/io/crc32.ts";
import { pngFault } from "../../../../core/io/pictures/pngFault.ts";
import { encodePng } from "../../../../plugins/observers/drawing/png.ts";
import { pngOf } from "../../../helpers/pngFiles.ts";

const test = suite("core/io/pictures/pngFault");

const sound = encodePng({ width: 5, height: 3, channels: 3, data: Uint8Array.from({ length: 45 }, (_, i) => 5 * i) });

test("every flipped bit behind the signature, and every cut, is found; a sound file has no fault", () => {
  assert.is(pngFault(sound), undefined);
  for (let bit = 64; bit < 8 * sound.length; bit++) {
    const flipped = sound.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    assert.ok(pngFault(flipped), `bit ${bit}`);
  }
  for (let length = 8; length < sound.length; length++)
    assert.match(String(pngFault(sound.subarray(0, length))), /^it is cut short at byte \d+$/);
  assert.is(pngFault(pngOf({ width: 1, height: 1, colour: 0 })), "it has no picture data");
});

test("a picture that claims more pixels than its data can be is refused before anything is made for them", () => {
  const claimed = sound.slice();
  const view = new DataView(claimed.buffer);
  for (const place of [16, 20]) view.setUint32(place, 30_000);
  view.setUint32(29, crc32(claimed.subarray(12, 29)));
  assert.is(pngFault(claimed), "its picture data are too few for its width and height");
});

test.run();
