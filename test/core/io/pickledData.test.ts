import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodePickle, decodePrompts, pickledArray } from "../../../core/io/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/io/pickledData");

const base64 = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const utf8 = (text: string) => new TextEncoder().encode(text);

// Python 3.11 and NumPy 2.4: pickle.dumps({"data": numpy.arange(12, dtype=numpy.uint8).reshape(2, 6), "labels": [3, 9],
// "batch_label": "training batch 1 of 5", "filenames": ["a.png", "b.png"]}, protocol)
const pickles: Record<string, string> = {
  2: "gAJ9cQAoWAQAAABkYXRhcQFjbnVtcHkuX2NvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQJjbnVtcHkKbmRhcnJheQpxA0sAhXEEY19jb2RlY3MKZW5jb2RlCnEFWAEAAABicQZYBgAAAGxhdGluMXEHhnEIUnEJh3EKUnELKEsBSwJLBoZxDGNudW1weQpkdHlwZQpxDVgCAAAAdTFxDomIh3EPUnEQKEsDWAEAAAB8cRFOTk5K/////0r/////SwB0cRJiiWgFWAwAAAAAAQIDBAUGBwgJCgtxE2gHhnEUUnEVdHEWYlgGAAAAbGFiZWxzcRddcRgoSwNLCWVYCwAAAGJhdGNoX2xhYmVscRlYFQAAAHRyYWluaW5nIGJhdGNoIDEgb2YgNXEaWAkAAABmaWxlbmFtZXNxG11xHChYBQAAAGEucG5ncR1YBQAAAGIucG5ncR5ldS4=",
  4: "gASV+QAAAAAAAAB9lCiMBGRhdGGUjBZudW1weS5fY29yZS5tdWx0aWFycmF5lIwMX3JlY29uc3RydWN0lJOUjAVudW1weZSMB25kYXJyYXmUk5RLAIWUQwFilIeUUpQoSwFLAksGhpRoBYwFZHR5cGWUk5SMAnUxlImIh5RSlChLA4wBfJROTk5K/////0r/////SwB0lGKJQwwAAQIDBAUGBwgJCguUdJRijAZsYWJlbHOUXZQoSwNLCWWMC2JhdGNoX2xhYmVslIwVdHJhaW5pbmcgYmF0Y2ggMSBvZiA1lIwJZmlsZW5hbWVzlF2UKIwFYS5wbmeUjAViLnBuZ5RldS4=",
};
for (const [protocol, packed] of Object.entries(pickles))
  test(`lists, texts and an array, pickled with protocol ${protocol}`, async () => {
    const value = decodePickle(base64(packed), "batch") as Map<string, unknown>;
    assert.equal(value.get("labels"), [3, 9]);
    assert.is(value.get("batch_label"), "training batch 1 of 5");
    assert.equal(await pickledArray(value.get("data")), {
      dtype: "U8",
      shape: [2, 6],
      data: Uint8Array.from({ length: 12 }, (_, i) => i),
    });
    assert.is(await pickledArray(value.get("labels")), undefined);
  });

test("what would run a program, and what follows a pickle, is refused", () => {
  const evil = utf8("cos\nsystem\n(S'true'\ntR.");
  assert.match(thrown(() => decodePickle(evil, "batch")).message, /batch: it asks for "os\.system"/);
  assert.match(thrown(() => decodePickle(utf8("K\u0001.x"), "batch")).message, /something follows its pickle/);
});

test("prompts are the lines of a text, or the texts of a pickled list", () => {
  assert.equal(decodePrompts(utf8("\ufeffa cat \r\nünder\r\n\r\n"), "p.txt"), ["a cat", "ünder"]);
  assert.equal(
    decodePrompts(
      Uint8Array.of(0x80, 2, ...utf8("]q\u0000(X\u0001\u0000\u0000\u0000aX\u0001\u0000\u0000\u0000be.")),
      "p",
    ),
    ["a", "b"],
  );
  const refused: [bytes: Uint8Array, why: RegExp][] = [
    [utf8(""), /it has no prompts/],
    [utf8("a\n\nb"), /prompt 2 of 3 is empty/],
    [utf8(`a\n${"b".repeat(10_001)}`), /prompt 2 of 2 has 10001 letters, should have 10000 at most/],
    [Uint8Array.of(97, 255), /no text in UTF-8/],
    [Uint8Array.of(0x80, 2, ...utf8("K\u0001.")), /a pickle, but no list of texts/],
  ];
  for (const [bytes, why] of refused) {
    const { code, message } = thrown(() => decodePrompts(bytes, "p.txt"));
    assert.is(code, "E_DATA");
    assert.match(message, why);
  }
});

test.run();
