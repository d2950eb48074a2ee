/** Pickles as others might write them: of PyTorch's tensors and NumPy's arrays, with values anywhere that do not belong there. */
import type { Draw } from "./draw.ts";
import { utf8 } from "./draw.ts";

/** A number of so many bytes, little-endian, as letters up to 255. */
const le = (value: number, bytes: number): string =>
  Array.from({ length: bytes }, (_, i) => String.fromCharCode(Math.floor(value / 2 ** (8 * i)) & 255)).join("");
const letters = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
/** The bytes of letters up to 255. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

const STORAGES = { Double: 8, Float: 4, Half: 2, BFloat16: 2, Long: 8, Int: 4, Short: 2, Char: 1, Byte: 1, Bool: 1 };
type StorageName = keyof typeof STORAGES;

/** A storage that the pickle refers to. */
export interface DrawnStorage {
  readonly key: string;
  readonly type: StorageName;
  readonly elements: number;
  readonly bytes: Uint8Array;
}

/** Names that are known, and some that are not. */
const NAMES = [
  "collections OrderedDict",
  "collections defaultdict",
  "torch._utils _rebuild_tensor",
  "torch._utils _rebuild_tensor_v2",
  "torch._utils _rebuild_parameter",
  "torch._utils _rebuild_parameter_with_state",
  "torch.storage _load_from_bytes",
  "torch Size",
  "torch device",
  "torch FloatStorage",
  "torch float32",
  "torch_utils.persistence _reconstruct_persistent_obj",
  "dnnlib.util EasyDict",
  "copyreg _reconstructor",
  "builtins object",
  "builtins set",
  "_codecs encode",
  "numpy dtype",
  "numpy ndarray",
  "numpy.core.multiarray scalar",
  "numpy._core.multiarray _reconstruct",
  "torch.nn.modules.linear Linear",
];
const UNKNOWN = ["os system", "builtins eval", "__proto__ constructor", "Object prototype", "torch.nn.modules.x a.b"];
const KEYS = [
  "weight",
  "bias",
  "state_dict",
  "model",
  "ema",
  "step",
  "_parameters",
  "_buffers",
  "_modules",
  "_init_kwargs",
];

/** Writes values one into the other, so that the stack is as each operation wants it. */
export class PickleDraw {
  readonly draw: Draw;
  readonly storages: DrawnStorage[] = [];
  #memo = 0;
  /** How many values may still be replaced. */
  #left = 12;
  /** Part of the values that are replaced by any other. */
  readonly #odd: number;
  constructor(draw: Draw, odd: number) {
    this.draw = draw;
    this.#odd = odd;
  }

  /** This value, or now and then any other. */
  #or(value: string): string {
    return this.#left > 0 && this.draw.chance(this.#odd) ? this.#other() : value;
  }
  #other(): string {
    this.#left--;
    return this.any(2);
  }
  text(text: string): string {
    const bytes = letters(utf8(text));
    const { draw } = this;
    if (bytes.length < 256 && draw.chance(0.3)) return `\x8c${le(bytes.length, 1)}${bytes}`;
    return `X${le(draw.chance(1 - this.#odd / 20) ? bytes.length : 2 ** 32 - 1, 4)}${bytes}`;
  }
  whole(value: number): string {
    if (value >= 0 && value < 256) return `K${le(value, 1)}`;
    return Number.isSafeInteger(value) && Math.abs(value) < 2 ** 31 ? `J${le(value, 4)}` : `L${value}L\n`;
  }
  tuple(items: readonly string[]): string {
    return items.length > 0 && items.length < 4 && this.draw.chance(0.6)
      ? items.join("") + String.fromCharCode(0x84 + items.length)
      : `(${items.join("")}t`;
  }
  dict(entries: readonly (readonly [string, string])[]): string {
    return `}(${entries.map(([key, value]) => key + value).join("")}u`;
  }
  list(items: readonly string[]): string {
    return `](${items.join("")}e`;
  }
  /** A value that may be met again. */
  kept(value: string): string {
    return value + (this.draw.chance(0.5) ? `q${le(this.#memo++ % 256, 1)}` : "\x94");
  }
  global(name: string): string {
    const [module, own] = name.split(" ");
    return this.draw.chance(0.7) ? `c${module}\n${own}\n` : `${this.text(module)}${this.text(own)}\x93`;
  }
  call(name: string, args: readonly string[]): string {
    return `${this.global(name)}${this.#or(this.tuple(args))}R`;
  }

  /** A storage and the id that stands for it. */
  #storage(elements: number): string {
    const { draw } = this;
    if (this.storages.length > 0 && draw.chance(0.2)) return this.#id(draw.pick(this.storages));
    const type = draw.pick(Object.keys(STORAGES) as StorageName[]);
    const most = type === "Bool" ? 2 : 256;
    const storage = {
      key: String(this.storages.length),
      type,
      elements,
      bytes: Uint8Array.from({ length: elements * STORAGES[type] }, () => draw.below(most)),
    };
    this.storages.push(storage);
    return this.#id(storage);
  }
  #id({ key, type, elements }: DrawnStorage): string {
    const parts = [this.text("storage"), this.global(`torch ${type}Storage`), this.text(key), this.text("cpu")];
    const claimed = this.draw.chance(1 - this.#odd) ? elements : this.draw.pick([0, elements + 1, 2 ** 53, -1]);
    return `${this.tuple([...parts, this.whole(claimed)].map((part) => this.#or(part)))}Q`;
  }
  tensor(): string {
    const { draw } = this;
    const shape = draw.list(3, () => draw.between(0, 4));
    const count = shape.reduce((product, size) => product * size, 1);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
    const wrong = (value: number) =>
      draw.chance(1 - this.#odd) ? value : draw.pick([0, 1, 5, 4096, 2 ** 31, 2 ** 52, -1]);
    const many = draw.chance(this.#odd / 5) ? draw.pick([70, 3000]) : 0;
    const list = (values: readonly number[], more: number) =>
      this.tuple([...values, ...new Array<number>(many).fill(more)].map((value) => this.#or(this.whole(wrong(value)))));
    const args = [this.#storage(count), this.whole(wrong(0)), list(shape, 1), list(strides, 1), "\x89"].map((each) =>
      this.#or(each),
    );
    const tensor = this.call("torch._utils _rebuild_tensor_v2", [...args, this.call("collections OrderedDict", [])]);
    return draw.chance(0.2)
      ? this.call("torch._utils _rebuild_parameter", [tensor, "\x88", this.call("collections OrderedDict", [])])
      : tensor;
  }
  /** An array of NumPy, its numbers as bytes or as text of latin1. */
  array(): string {
    const { draw } = this;
    const kind = draw.pick(["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "b1", "O8"]);
    const shape = draw.list(3, () => draw.between(0, 3));
    const bytes = letters(draw.bytes(shape.reduce((product, size) => product * size, 1) * Number(kind[1])));
    const dtype = `${this.call("numpy dtype", [this.text(kind), "K\x00", "K\x01"])}${this.#or(this.tuple(["K\x03", this.text("<"), "N"]))}b`;
    const data = draw.chance(0.5)
      ? `B${le(bytes.length, 4)}${bytes}`
      : this.call("_codecs encode", [this.text(bytes), this.text("latin1")]);
    const made = this.call("numpy.core.multiarray _reconstruct", [this.global("numpy ndarray"), "K\x00\x85", `C\x01b`]);
    const sizes = this.tuple(shape.map((size) => this.#or(this.whole(size))));
    const state = [`K\x01`, sizes, dtype, draw.pick(["\x88", "\x89"]), data].map((each) => this.#or(each));
    return `${made}${this.tuple(state)}b`;
  }
  scalar(): string {
    const kind = this.draw.pick(["f8", "f4", "i8", "b1"]);
    const bytes = letters(this.draw.bytes(Number(kind[1])));
    const dtype = this.call("numpy dtype", [this.text(kind), "K\x00", "K\x01"]);
    return this.call("numpy.core.multiarray scalar", [this.#or(dtype), this.#or(`C${le(bytes.length, 1)}${bytes}`)]);
  }
  /** A layer or network that was pickled with its state. */
  network(depth: number): string {
    const { draw } = this;
    const named = (make: () => string) =>
      this.dict(draw.list(3, () => [this.#or(this.text(draw.text(KEYS, this.#odd))), this.#or(make())] as const));
    const state = this.dict([
      [this.text("_parameters"), named(() => this.tensor())],
      [this.text("_buffers"), named(() => this.tensor())],
      [this.text("_modules"), depth > 0 ? named(() => this.network(depth - 1)) : "}"],
      [this.text("_init_kwargs"), named(() => this.any(2))],
    ]);
    if (draw.chance(0.5)) return `${this.call("torch.nn.modules.linear Linear", [])}${this.#or(state)}b`;
    const meta: [string, string][] = [
      [this.text("type"), this.text("class")],
      [this.text("class_name"), this.#or(this.text("Net"))],
      [this.text("state"), this.#or(state)],
    ];
    return this.call("torch_utils.persistence _reconstruct_persistent_obj", [this.#or(this.dict(meta))]);
  }
  /** A file of `torch.save` inside of this one, the way plain pickles keep storages. */
  inner(): string {
    const other = new PickleDraw(this.draw, this.#odd);
    const bytes = letters(other.legacy(this.draw.chance(0.9) ? other.tensor() : other.any(2)));
    return this.call("torch.storage _load_from_bytes", [`B${le(bytes.length, 4)}${bytes}`]);
  }

  /** Values that hold or call each other so that the file stands for far more than it has. */
  bomb(): string {
    const { draw } = this;
    const times = draw.pick([5, 20, 60, 200, 2000]);
    const slot = le(255, 1);
    const twice = draw.pick([
      `h${slot}h${slot}\x86`,
      `](h${slot}h${slot}e`,
      `}(K\x00h${slot}K\x01h${slot}u`,
      `h${slot}\x85`,
    ]);
    const doubled = `${draw.pick(["]", this.text("x"), "N"])}q${slot}${`${twice}q${slot}`.repeat(times)}`;
    const long = `X${le(5000, 4)}${"k".repeat(5000)}`;
    // Its parts as keys, as names, as shapes, and as what calls are given.
    return draw.pick([
      () => doubled,
      () => `}${doubled}Ns`,
      () => `${doubled}${this.text("a")}\x93`,
      () => this.call("torch device", [doubled]),
      () => this.call("numpy dtype", [doubled]),
      () => this.call("torch._utils _rebuild_tensor_v2", [this.#storage(3), "K\x00", doubled, doubled, "\x89", "N"]),
      () => `}${long}${this.list([doubled])}s`,
      () => {
        // One list, text or file, and a call of it again and again.
        const [what, name] = draw.pick([
          [this.list(new Array<string>(2000).fill("NN\x86")), "collections OrderedDict"],
          [this.list(Array.from({ length: 500 }, (_, i) => this.whole(i))), "builtins set"],
          [long, "_codecs encode"],
          [`B${le(3000, 4)}](${"N".repeat(2996)}e.`, "torch.storage _load_from_bytes"],
        ]);
        const encoding = name === "_codecs encode" ? `${this.text("latin1")}\x86` : "\x85";
        return `${what}q${slot}0](${`${this.global(name)}h${slot}${encoding}R`.repeat(times)}e`;
      },
      () => {
        // A network of which each part has the one before twice.
        const layer = (parts: string) =>
          `${this.call("torch.nn.modules.linear Linear", [])}}${this.text("_modules")}}(${parts}usb`;
        return `${layer("")}q${slot}${`0${layer(`K\x00h${slot}K\x01h${slot}`)}q${slot}`.repeat(Math.min(times, 62))}`;
      },
      () => `${this.call("torch.nn.modules.linear Linear", [])}}${this.text("_init_kwargs")}}K\x00${doubled}ssb`,
      () => {
        let file = "N.";
        for (let i = 0; i < Math.min(times, 400); i++)
          file = `B${le(file.length, 4)}${file}q${slot}0](${`ctorch.storage\n_load_from_bytes\nh${slot}\x85R`.repeat(2)}e.`;
        return file.slice(0, -1);
      },
    ])();
  }

  /** Any value. */
  any(depth: number): string {
    const { draw } = this;
    const kind = draw.below(depth > 0 ? 16 : 7);
    switch (kind) {
      case 0:
        return draw.pick(["N", "\x88", "\x89", ")", "]", "}", "\x8f", "I00\n", "I01\n"]);
      case 1:
        return this.whole(draw.pick([0, 1, 2, 255, 70_000, -1, 2 ** 40, 2 ** 53 + 2, draw.below(10)]));
      case 2:
        return draw.pick([
          `G${letters(draw.bytes(8))}`,
          "F1.5\n",
          "Fnan\n",
          "F1e999\n",
          "Fx\n",
          "L-12345678901234567890123L\n",
        ]);
      case 3:
        return this.text(draw.text(KEYS, 0.3));
      case 4: {
        const bytes = letters(draw.bytes(draw.below(9)));
        return `${draw.pick(["C", "U"])}${le(bytes.length, 1)}${bytes}`;
      }
      case 5:
        return draw.pick([
          `\x8a\x09${letters(draw.bytes(9))}`,
          "S'it\\'s'\n",
          "V\\u00e9\n",
          "S'\n",
          `\x8b${le(3, 4)}abc`,
        ]);
      case 6:
        return `h${le(draw.below(3), 1)}`;
      case 7:
        return this.tuple(draw.list(3, () => this.any(depth - 1)));
      case 8:
        return this.kept(this.list(draw.list(3, () => this.any(depth - 1))));
      case 9:
        return this.dict(draw.list(3, () => [this.any(depth - 1), this.any(depth - 1)] as const));
      case 10:
        return `(${draw.list(3, () => this.any(depth - 1)).join("")}\x91`;
      case 11:
        return `${this.global(draw.pick(NAMES))}${this.tuple(draw.list(4, () => this.any(depth - 1)))}${draw.pick(["R", "\x81"])}`;
      case 12:
        return `${this.global(draw.pick(NAMES))}${this.tuple(draw.list(2, () => this.any(depth - 1)))}R${this.any(depth - 1)}b`;
      case 13:
        return draw.chance(0.2) ? this.global(draw.pick(UNKNOWN)) : this.global(draw.pick(NAMES));
      case 14:
        return draw.pick([() => this.tensor(), () => this.array(), () => this.scalar()])();
      default:
        return `${this.any(depth - 1)}Q`;
    }
  }

  /** What a file of weights holds. */
  root(nests = true): string {
    const { draw } = this;
    if (draw.chance(this.#odd / 4)) return this.bomb();
    const value = (depth: number): string =>
      draw.pick([
        () => this.tensor(),
        () => this.tensor(),
        () => this.array(),
        () => this.scalar(),
        () => this.network(1),
        () => (nests ? this.inner() : this.tensor()),
        () => this.any(1),
        () =>
          depth > 0 ? this.dict(draw.list(3, () => [this.text(draw.text(KEYS, 0)), value(depth - 1)] as const)) : "N",
      ])();
    const keys = new Set(draw.list(4, () => draw.text(KEYS, this.#odd / 2)));
    return this.dict([...keys].map((key) => [this.text(key), this.#or(value(2))] as const));
  }

  /** A pickle of a value. */
  pickle(value: string): Uint8Array {
    return ascii(`\x80\x02${value}.`);
  }
  /** The format of `torch.save` before it was zip, around a value. */
  legacy(value: string): Uint8Array {
    const one = (each: string) => `\x80\x02${each}.`;
    const magic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    const system = this.dict([[this.text("little_endian"), this.draw.chance(0.98) ? "\x88" : "\x89"]]);
    const keys = this.list(this.storages.map(({ key }) => this.#or(this.text(key))));
    const parts = [one(magic), one(this.#or(this.whole(1001))), one(this.#or(system)), one(value), one(keys)];
    const contents = this.storages.map(({ elements, bytes }) => le(elements, 8) + letters(bytes));
    return ascii(parts.join("") + contents.join(""));
  }
}
