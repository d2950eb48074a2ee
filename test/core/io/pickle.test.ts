import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type PickleWorld, unpickle } from "../../../core/io/pickle.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/io/pickle");

/** A pickle as CPython's `pickletools` prints it: text of ASCII, with `\x..` for other bytes. */
const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const nothing: PickleWorld = { global: () => undefined };
const read = (pickle: string, world = nothing) => unpickle(ascii(pickle), world, "a.pkl").value;

test("values of all protocols, as CPython writes them", () => {
  const sameInAll = [
    // {"a": [1, 2.5, None, True], "b": ("x", -7)} in protocols 0, 1, 2 and 4
    "(dp0\nVa\np1\n(lp2\nI1\naF2.5\naNaI01\nasVb\np3\n(Vx\np4\nI-7\ntp5\ns.",
    "}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01G@\x04\x00\x00\x00\x00\x00\x00NI01\neX\x01\x00\x00\x00bq\x03(X\x01\x00\x00\x00xq\x04J\xf9\xff\xff\xfftq\x05u.",
    "\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01G@\x04\x00\x00\x00\x00\x00\x00N\x88eX\x01\x00\x00\x00bq\x03X\x01\x00\x00\x00xq\x04J\xf9\xff\xff\xff\x86q\x05u.",
    "\x80\x04\x95&\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01G@\x04\x00\x00\x00\x00\x00\x00N\x88e\x8c\x01b\x94\x8c\x01x\x94J\xf9\xff\xff\xff\x86\x94u.",
  ];
  const expected = new Map<string, unknown>([
    ["a", [1, 2.5, null, true]],
    ["b", ["x", -7]],
  ]);
  for (const pickle of sameInAll) assert.equal(read(pickle), expected);
});

test("whole numbers beyond 2^53 stay exact, smaller ones are numbers", () => {
  assert.is(read("\x80\x02\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x40."), 0x400000000000000001n);
  assert.is(read("\x80\x02\x8a\x01\xff."), -1);
  assert.is(read("\x80\x02\x8a\x00."), 0);
  assert.is(read("L123456789012345678901234567890L\n."), 123456789012345678901234567890n);
  assert.is(read("\x80\x02M\x10'."), 10000);
});

test("bytes, sets and texts with escapes", () => {
  assert.equal(read("\x80\x03C\x03a\x00\xff."), Uint8Array.of(97, 0, 255));
  assert.equal(read("\x80\x04\x8f(K\x01K\x02\x90."), new Set([1, 2]));
  assert.equal(read("\x80\x04(K\x01K\x02\x91."), new Set([1, 2]));
  assert.is(read("S'it\\'s\\n\\x41'\n."), "it's\nA");
  assert.is(read("V\\u00e9\n."), "é");
});

test("an object that is met again is the same", () => {
  const [a, b] = read("\x80\x02]q\x00K\x05ah\x00\x86.") as unknown[];
  assert.is(a, b);
});

test("calls go to what the caller gives for a name, with arguments and state", () => {
  const seen: unknown[] = [];
  const world: PickleWorld = {
    global: (module, name) =>
      module === "m" && name === "f"
        ? {
            call: (...args: unknown[]) => {
              seen.push(args);
              return { setState: (state: unknown) => seen.push(state) };
            },
          }
        : undefined,
    persistent: (id) => `outside ${id}`,
  };
  read("\x80\x02cm\nf\nK\x01K\x02\x86RK\x03b.", world);
  assert.equal(seen, [[1, 2], 3]);
  assert.is(read("\x80\x02X\x01\x00\x00\x00kQ.", world), "outside k");
});

const broken: Record<string, [pickle: string, why: RegExp]> = {
  "a name that nobody knows": ["cos\nsystem\n.", /asks for "os.system"/],
  "the same in protocol 4": ["\x80\x04\x8c\x02os\x8c\x06system\x93.", /asks for "os.system"/],
  "a call of what is no function": ["\x80\x02K\x01)R.", /calls what can't be called/],
  "a state of what has none": ["\x80\x02K\x01K\x02b.", /what has none/],
  "an object that was never made": ["\x80\x02h\x07.", /object 7 before/],
  "a stack that is empty": ["0.", /more than there is/],
  "a mark that is missing": ["K\x01t.", /more than there is/],
  "an end that is missing": ["\x80\x02K\x01", /cut short/],
  "a text that is cut short": ["X\xff\x00\x00\x00abc.", /cut short/],
  "a protocol of the future": ["\x80\x06N.", /protocol 6/],
  "an operation for extensions": ["\x80\x02\x82\x01.", /operation 0x82/],
  "a line that is no number": ["Iabc\n.", /no whole number/],
  "a number of a megabyte": [`\x80\x02\x8b\x00\x00\x10\x00${"\x01".repeat(16)}.`, /1048576 bytes/],
  "something appended to a number": ["K\x01K\x02a.", /no list/],
  "entries of what is no dict": ["]K\x01K\x02s.", /no dict/],
  "a reference to outside, where there is none": ["Pid\n.", /outside/],
};
for (const [what, [pickle, why]] of Object.entries(broken))
  test(`${what} is refused`, () => {
    const error = thrown(() => read(pickle));
    assert.is(error.code, "E_DATA");
    assert.match(error.message, why);
    assert.match(error.message, "a.pkl");
  });

test.run();
