import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pngFault } from "../../../core/io/pngFault.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { pngOf } from "../../helpers/pngFiles.ts";

const test = suite("core/io/pngFault");

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

test.run();
