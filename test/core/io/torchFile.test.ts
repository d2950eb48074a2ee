import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeTorch } from "../../../core/io/mod.ts";
import { goldenBytes } from "../../helpers/golden.ts";
import { zipFile } from "../../helpers/zipFile.ts";

const test = suite("core/io/torchFile");

const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
/** A float tensor called `w` over storage 0, with this offset, shape and strides of one axis, of so many numbers. */
const tensorPickle = (offset: number, size: number, stride: number, elements: number) =>
  ascii(
    `\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n` +
      `X\x01\x00\x00\x000X\x03\x00\x00\x00cpuI${elements}\ntQI${offset}\nI${size}\n\x85I${stride}\n\x85\x89)tRu.`,
  );
const archive = (pickle: Uint8Array, storage: Float32Array, more: Record<string, Uint8Array> = {}) =>
  zipFile({ "m/data.pkl": pickle, "m/data/0": new Uint8Array(storage.buffer), ...more });
const storage = Float32Array.of(1, 2, 3, 4, 5, 6);

async function refusal(bytes: Uint8Array): Promise<{ code?: string; message: string }> {
  try {
    for (const tensor of Object.values((await decodeTorch(bytes, "m.pt")).tensors)) await tensor.read();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it was read");
}

test("views are read through their strides", async () => {
  const read = async (...[offset, size, stride]: [number, number, number]) =>
    (await (await decodeTorch(archive(tensorPickle(offset, size, stride, 6), storage))).tensors.w.read()).data;
  assert.equal(await read(0, 6, 1), storage);
  assert.equal(await read(1, 3, 2), Float32Array.of(2, 4, 6));
  assert.equal(await read(4, 5, 0), new Float32Array(5).fill(5));
  assert.equal(await read(6, 0, 1), new Float32Array(0));
});

test("a view beyond its storage is refused, and so is one that repeats it without end", async () => {
  for (const [offset, size, stride] of [
    [1, 6, 1],
    [0, 4, 2],
    [6, 1, 0],
  ]) {
    const { code, message } = await refusal(archive(tensorPickle(offset, size, stride, 6), storage));
    assert.is(code, "E_CHECKPOINT");
    assert.match(message, /reaches to number/);
  }
  assert.match((await refusal(archive(tensorPickle(0, 100_000_000, 0, 6), storage))).message, /repeats 6 numbers/);
  assert.match((await refusal(archive(tensorPickle(-1, 2, 1, 6), storage))).message, /whole numbers from 0 up/);
});

test("many tensors that repeat few numbers are refused as one would be", async () => {
  const view = tensorPickle(0, 24_000, 0, 6);
  const text = String.fromCharCode(...view.subarray(view.indexOf("c".charCodeAt(0)), view.length - 2));
  const list = (count: number) => archive(ascii(`\x80\x02](${text.repeat(count)}e.`), storage);
  assert.is(Object.keys((await decodeTorch(list(1))).tensors).length, 1);
  const { code, message } = await refusal(list(2));
  assert.is(code, "E_CHECKPOINT");
  assert.match(message, /its tensors repeat 6 numbers to 48000/);
});

test("numbers of NumPy have their values, in half precision too", async () => {
  const number = (type: string, bytes: string) =>
    `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n${key(type)}\x85RC${String.fromCharCode(bytes.length)}${bytes}\x86R`;
  const numbers = {
    half: number("f2", "\x00\xc1"),
    tiny: number("f2", "\x01\x00"),
    truth: number("b1", "\x01"),
    whole: number("i2", "\xfe\xff"),
  };
  const items = Object.entries(numbers).map(([name, made]) => key(name) + made);
  const { values } = await decodeTorch(archive(ascii(`\x80\x03}(${items.join("")}u.`), storage));
  assert.equal({ ...values }, { half: -2.5, tiny: 2 ** -24, truth: true, whole: -2 });
});

test("a storage of another size, of big-endian numbers, or none is refused", async () => {
  assert.match((await refusal(archive(tensorPickle(0, 2, 1, 7), storage))).message, /24 bytes, should have 28/);
  const big = { "m/byteorder": ascii("big") };
  assert.match((await refusal(archive(tensorPickle(0, 2, 1, 6), storage, big))).message, /big-endian/);
  assert.match((await refusal(zipFile({ "m/data.pkl": tensorPickle(0, 2, 1, 6) }))).message, /no entry/);
  assert.match((await refusal(zipFile({ a: ascii("b") }))).message, /without "data.pkl"/);
});

test("numbers of eight bits are read from a storage of bytes", async () => {
  const pickle = (dtype: string, elements = 3) =>
    ascii(
      `\x80\x02}(X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v3\n((X\x07\x00\x00\x00storagectorch.storage\nUntypedStorage\n` +
        `X\x01\x00\x00\x000X\x03\x00\x00\x00cpuI${elements}\ntQI1\nI2\n\x85I1\n\x85\x89}ctorch\n${dtype}\ntRu.`,
    );
  const zip = (dtype: string) => zipFile({ "m/data.pkl": pickle(dtype), "m/data/0": Uint8Array.of(0x00, 0x38, 0x7e) });
  const { w } = (await decodeTorch(zip("float8_e4m3fn"))).tensors;
  assert.equal([w.dtype, w.shape, (await w.read()).data], ["F8_E4M3", [2], Uint8Array.of(0x38, 0x7e)]);
  assert.is((await decodeTorch(zip("float8_e5m2"))).tensors.w.dtype, "F8_E5M2");
  assert.match((await refusal(zip("float8_e8m0"))).message, /has the type|is none|not read|float8_e8m0/);
  assert.match((await refusal(zip("uint16"))).message, /a tensor of bytes has the type torch.uint16/);
});

test("lists that hold each other many times over are refused", async () => {
  // Each list holds the one before twice: 2^60 entries in 400 bytes.
  const doubling = Array.from({ length: 60 }, () => "q\x00h\x00h\x00\x86").join("");
  const { code, message } = await refusal(ascii(`\x80\x02]${doubling}.`));
  assert.is(code, "E_DATA");
  assert.match(message, /more than \d+ entries|64 deep/);
});

test("a name that would set a prototype is refused", async () => {
  const { code, message } = await refusal(ascii("\x80\x02}X\x09\x00\x00\x00__proto__K\x07s."));
  assert.is(code, "E_DATA");
  assert.match(message, '"__proto__"');
});

test("every cut of a file is refused or has all its tensors", async () => {
  const whole = goldenBytes("ckpt_legacy_nested.pt");
  for (let length = 0; length < whole.length; length += 97) {
    const { code } = await refusal(whole.subarray(0, length));
    assert.ok(code === "E_DATA" || code === "E_CHECKPOINT", `${length} bytes: ${code}`);
  }
});

/** `count` lists of which each holds the one before twice, from an empty one. */
const doubled = (count: number) => `]q\x00${"h\x00h\x00\x86q\x00".repeat(count)}`;
const layer = (state: string) => `ctorch.nn.modules.linear\nLinear\n)R}${state}b`;
const key = (text: string) => `X${String.fromCharCode(text.length)}\x00\x00\x00${text}`;

const bombs: Record<string, string> = {
  "a key": `}${doubled(60)}Ns`,
  "a name": `${doubled(60)}${key("a")}\x93`,
  "a device": `ctorch\ndevice\n${doubled(60)}\x85R`,
  "a type of NumPy": `cnumpy\ndtype\n${doubled(60)}\x85R`,
  "settings of a network": layer(`${key("_init_kwargs")}}K\x00${doubled(60)}ss`),
  "a network of networks": `${layer("")}q\x00${`0${layer(`${key("_modules")}}(K\x00h\x00K\x01h\x00us`)}q\x00`.repeat(60)}`,
  "a text again and again": `X\xff\x0f\x00\x00${"k".repeat(4095)}q\x000](${`c_codecs\nencode\nh\x00${key("latin1")}\x86R`.repeat(800)}e`,
};
for (const [what, pickle] of Object.entries(bombs))
  test(`${what} whose parts are shared without end is refused, or read at once`, async () => {
    const bytes = ascii(`\x80\x02${pickle}.`);
    const began = performance.now();
    const { code } = await decodeTorch(bytes, "m.pt").then(
      () => ({ code: "E_DATA" }),
      (error) => error,
    );
    assert.is(code, "E_DATA");
    assert.ok(performance.now() - began < 2000);
  });

test("what a packed pickle may give to what it calls follows from the bytes that it takes in the file", async () => {
  const calls = (count: number) =>
    ascii(
      `\x80\x02X\xff\x0f\x00\x00${"k".repeat(4095)}q\x000](${`c_codecs\nencode\nh\x00${key("latin1")}\x86R`.repeat(count)}e.`,
    );
  const packed = (deflate: boolean) => zipFile({ "m/data.pkl": calls(15) }, { deflate });
  assert.equal(Object.keys((await decodeTorch(packed(false), "m.pt")).tensors), []);
  assert.match((await refusal(packed(true))).message, "again and again");
});

test("what is called or referred to in place of a class is refused with a code", async () => {
  for (const pickle of [
    "ccopyreg\n_reconstructor\nK\x01\x85R",
    "ccopyreg\n_reconstructor\nccopyreg\n_reconstructor\n\x85R",
    "cbuiltins\nset\nK\x01\x85R",
    `(${key("storage")}K\x01${key("0")}${key("cpu")}K\x01tQ`,
  ])
    assert.is((await refusal(ascii(`\x80\x02${pickle}.`))).code, "E_DATA");
});

test.run();
