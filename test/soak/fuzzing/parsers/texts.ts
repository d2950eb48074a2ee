/** The tokenizer's merges, stored evaluations, and whatever `onestep inspect` is pointed at. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { differences, readReport } from "../../../../examples/cli/evaluate/protocol.ts";
import { inspected } from "../../../../examples/cli/inspect.ts";
import { CLIP_CONTEXT } from "../../../../plugins/encoders/shared/clipContext.ts";
import { ClipTokenizer } from "../../../../plugins/encoders/shared/clipTokenizer.ts";
import { type Draw, utf8 } from "../draw.ts";
import { expect } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { memoryFolder } from "../memoryFolder.ts";
import { NPY_TYPES, npyBytes } from "../npyBytes.ts";
import { PickleDraw } from "../pickleBytes.ts";
import { safetensorsBytes } from "../safetensorsBytes.ts";
import { zipBytes } from "../zipBytes.ts";

/** Lines that no text asks for, as many as CLIP's vocabulary has besides those that are drawn. */
const FILLER = Array.from({ length: 48_894 }, (_, i) => `q${i} z`);

const merges: FuzzedParser = {
  name: "merges of a tokenizer",
  factor: 8,
  slow: true,
  make(draw) {
    const own = draw.list(8, () => draw.pick(["c a", "ca t</w>", "t h", "th e</w>", "a a", "aa aa", "e </w>"]));
    if (draw.chance(0.3)) own.push(draw.pick(["a", "a b c", " ", "", " a", "a ", "a b\r", "\ud800 b", draw.text()]));
    const count = draw.chance(0.95) ? FILLER.length : draw.pick([0, 100, FILLER.length - own.length - 1]);
    const ending = draw.chance(0.9) ? "\n" : "\r\n";
    const file = ["#version: 0.2", ...own, ...FILLER.slice(0, count)].join(ending);
    const prompts = draw.list(3, () =>
      draw.chance(0.7)
        ? draw
            .list(9, () =>
              draw.pick(["cat", "the", "a", "&amp;#99;", "&#x110000;", "'s", "1", "猫", "👍", "<|endoftext|>"]),
            )
            .join(" ")
        : draw.chance(0.05)
          ? draw.pick(["a", "ca", "猫"]).repeat(400)
          : draw.text(),
    );
    return {
      size: file.length,
      run() {
        const tokenizer = new ClipTokenizer(file);
        const rows = tokenizer.rows(prompts, draw.pick(["end", "zero"]));
        expect(rows.length === prompts.length * CLIP_CONTEXT, "rows of another length");
        for (const id of rows) expect(id >= 0 && id <= 49_407, `token ${id}`);
        for (const prompt of prompts)
          for (const id of tokenizer.encode(prompt)) expect(id >= 0 && id <= 49_407, `token ${id}`);
        for (const sound of own.filter((line) => line === "c a" || line === "a a"))
          expect(tokenizer.encode(sound.replace(" ", "").repeat(2)).length < 4, `${sound} was not merged`);
      },
    };
  },
};

const report: FuzzedParser = {
  name: "stored evaluations",
  factor: 8,
  make(draw) {
    const text = () => {
      const keep = draw.pick([1, 0.95, 0.8]);
      const metrics = draw.object({ fid: "1.5", is: draw.chance(keep) ? "2" : draw.json(1) }, keep);
      const protocol = draw.object(
        { count: "100", reference: draw.json(2), metrics: draw.json(3), extractors: "{}" },
        keep,
      );
      return draw.damaged(utf8(draw.object({ samples: '"x"', protocol, metrics }, keep)), 0.8);
    };
    const files = [text(), text()];
    return {
      size: files[0].length + files[1].length,
      run() {
        const [a, b] = files.map((each) => readReport(new TextDecoder().decode(each), "x.json"));
        // What was no number when it was written is none.
        const isNumber = (value: unknown) => typeof value === "number";
        for (const each of [a, b]) expect(Object.values(each.metrics).every(isNumber), "metrics that are no numbers");
        expect(differences(a.protocol, a.protocol).length === 0, "a protocol that differs from itself");
        // Numbers beyond all bounds would be written as null.
        const isBeyond = (value: unknown) => typeof value === "number" && !Number.isFinite(value);
        const written = (protocol: unknown) =>
          JSON.stringify(protocol, (_, value) => (isBeyond(value) ? String(value) : value));
        const apart = written(a.protocol) !== written(b.protocol);
        if (differences(a.protocol, b.protocol).length > 0) expect(apart, "equal protocols that differ");
      },
    };
  },
};

/** A file of one of the kinds that are known, or of none. */
function anyFile(draw: Draw): [name: string, bytes: Uint8Array] {
  const pickle = new PickleDraw(draw, draw.pick([0, 0.02, 0.2]));
  const root = () => pickle.pickle(pickle.root(false));
  return draw.pick<() => [string, Uint8Array]>([
    () => ["x.pkl", draw.damaged(root(), 0.6)],
    () => {
      const files: Record<string, Uint8Array> = { "m/data.pkl": root() };
      for (const { key, bytes } of pickle.storages) files[`m/data/${key}`] = bytes;
      return ["x.pt", zipBytes(draw, files, 0.7)];
    },
    () => {
      const names = draw.list(4, () => `${draw.text(["mu", "sigma", "arr_0"], 0.3)}.npy`);
      const files = names.map((name) => [name, npyBytes(draw, draw.pick(NPY_TYPES), [2, 3])]);
      return ["x.npz", zipBytes(draw, Object.fromEntries(files), 0.7)];
    },
    () => [
      "x.zip",
      zipBytes(draw, Object.fromEntries(draw.list(30, () => [draw.text(["a", "b/c"], 0.8), draw.bytes(3)]))),
    ],
    () => [
      "x.safetensors",
      safetensorsBytes(draw, [{ name: draw.text(["w"], 0.5), dtype: "F32", shape: [2] }], {
        metadata: draw.chance(0.5) ? { onestep: "{}" } : {},
      }),
    ],
    () => ["x", draw.damaged(npyBytes(draw, draw.pick(NPY_TYPES), [3]))],
    () => ["x.txt", draw.bytes(draw.below(40))],
  ])();
}

const inspect: FuzzedParser = {
  name: "inspect",
  factor: 4 * 4096,
  heapFactor: 4000,
  slow: true,
  make(draw) {
    const folder = join(memoryFolder(), "inspect");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const isFolder = draw.chance(0.1);
    const [name, bytes] = anyFile(draw);
    const own = isFolder ? draw.text([name], 0.5).replace(/[/\0]/g, "").slice(0, 40) : name;
    const path = join(folder, own === "" || /^\.+$/.test(own) ? "x" : own);
    writeFileSync(path, bytes);
    if (isFolder && draw.chance(0.3)) symlinkSync(join(folder, "nowhere"), join(folder, "link"));
    const isWhole = draw.chance(0.3);
    return {
      size: bytes.length,
      async run() {
        const said = await inspected(isFolder ? folder : path, isWhole);
        const control = said.replaceAll("\n", "").match(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
        expect(control === null, `a control character: ${JSON.stringify(said.slice(0, 200))}`);
        expect(isWhole || said.split("\n").length <= 23, "more lines than are listed");
        expect(isWhole || said.length < 10_000, `${said.length} letters`);
      },
    };
  },
};

export const textParsers: readonly FuzzedParser[] = [merges, report, inspect];
