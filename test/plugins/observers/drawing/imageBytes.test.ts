import { suite } from "uvu";
import * as assert from "uvu/assert";
import { imageBytes } from "../../../../plugins/observers/drawing/imageBytes.ts";

const test = suite("core/io/imageBytes");

test("truncates, clamps, and puts channels last", () => {
  const x = [-1, 1, -3, 9, 0, 0.0078, 0.999, -0.001];
  assert.equal([...imageBytes(x, [1, 2, 2, 2])], [0, 127, 255, 128, 0, 254, 255, 127]);
});

test("every byte comes back from its sample, u8/127.5 − 1", () => {
  const bytes = Array.from({ length: 256 }, (_, i) => i);
  const samples = bytes.map((byte) => (byte + 0.01) / 127.5 - 1);
  assert.equal([...imageBytes(samples, [1, 1, 16, 16])], bytes);
});

test.run();
