/** Readers of data sets in archives, and of what comes with them. */

import {
  bytesOf,
  decodePickle,
  decodePrompts,
  pickledArray,
  type TarEntry,
  tarEntries,
} from "../../../../core/io/mod.ts";
import { joined } from "../../../../core/tensor/mod.ts";
import { expandBraces } from "../../../../plugins/datasets/shared/shardNames.ts";
import { cifar10Dataset, cocoDataset, edmZipDataset, webdatasetDataset } from "../../../../plugins/mod.ts";
import { picture } from "../../../helpers/namedPictures.ts";
import { type Draw, utf8 } from "../draw.ts";
import { expect, sizeOf } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { ascii, PickleDraw } from "../pickleBytes.ts";
import { tarBytes } from "../tarBytes.ts";
import { zipBytes } from "../zipBytes.ts";
import { checkArray } from "./archives.ts";
import { INFLATION, use } from "./images.ts";

const tar: FuzzedParser = {
  name: "tar",
  // The file, windows of it, and headers.
  factor: 8,
  make(draw) {
    const files = draw.list(4, (i) => {
      const long = `${"d/".repeat(draw.between(40, 60))}${i}.png`;
      return [
        draw.chance(0.1) ? long : draw.text(["a.png", "b/c.txt", `${i}.cls`], 0.1),
        draw.bytes(draw.below(700)),
      ] as const;
    });
    const bytes = tarBytes(draw, files);
    return {
      size: bytes.length,
      async run() {
        const entries: TarEntry[] = [];
        for await (const entry of tarEntries(bytesOf(bytes, "x.tar"))) entries.push(entry);
        for (const entry of entries)
          expect((await entry.read()).length === entry.size, `${entry.name} has another size than it says`);
      },
    };
  },
};

const pickle: FuzzedParser = {
  name: "pickled data",
  factor: 64,
  heapFactor: 4000,
  make(draw) {
    const made = new PickleDraw(draw, draw.pick([0, 0, 0.05, 0.3]));
    const array = made.array();
    const root = draw.chance(0.8)
      ? made.dict([
          [made.text("data"), array],
          [made.text("labels"), made.list([made.whole(3)])],
        ])
      : made.any(3);
    const bytes = draw.damaged(ascii(`\x80\x02${root}.`), 0.8);
    return {
      size: bytes.length,
      async run() {
        const value = decodePickle(bytes, "x.pkl");
        const data = await pickledArray(value instanceof Map ? value.get("data") : value);
        if (data) checkArray(data, "data");
      },
    };
  },
};

const prompts: FuzzedParser = {
  name: "list of prompts",
  factor: 16,
  make(draw) {
    const lines = draw.list(5, () => draw.text(["a cat", "ein Hund", " x "], 0.1));
    const made = new PickleDraw(draw, 0.05);
    const pickled = ascii(`\x80\x02${made.list(lines.map((line) => made.text(line)))}.`);
    const text = utf8(lines.join(draw.pick(["\n", "\r\n", "\n\n"])));
    const bytes = draw.damaged(draw.chance(0.3) ? pickled : text, 0.8);
    return {
      size: bytes.length,
      run() {
        for (const prompt of decodePrompts(bytes, "x.txt")) expect(prompt !== "", "an empty prompt");
      },
    };
  },
};

const braces: FuzzedParser = {
  name: "names of shards",
  // A range of few letters may mean 100,000 names.
  factor: 16,
  heapFactor: 2_000_000,
  make(draw) {
    const part = () => draw.text(["{00..03}", "{a,b}", "x-", ".tar", "{1..2", "}", "{9..1}", "{0..999}"], 0.1);
    const pattern = draw.list(4, part).join("");
    return {
      size: Math.max(1, pattern.length),
      run() {
        const names = expandBraces(pattern, "webdataset");
        expect(names.length > 0 && names.length <= 100_000, `${names.length} names`);
      },
    };
  },
};

/** Mostly a sound picture. */
const pictureBytes = (draw: Draw): Uint8Array =>
  draw.damaged(picture(draw.below(256), draw.chance(0.97) ? 2 : draw.between(1, 9)), 0.95);

const zip: FuzzedParser = {
  name: "zip of pictures with labels",
  factor: 40 * INFLATION,
  slow: true,
  make(draw) {
    const names = draw.list(3, (i) => draw.text([`0/${i}.png`, `${i}.png`], 0.05));
    if (names.length === 0) names.push("x.png");
    const files: Record<string, Uint8Array> = {};
    for (const name of names) files[name] = pictureBytes(draw);
    const labels = names.map((name) => `[${JSON.stringify(name)},${draw.chance(0.95) ? draw.below(4) : draw.json(1)}]`);
    if (draw.chance(0.8))
      files["dataset.json"] = draw.damaged(utf8(draw.object({ labels: `[${labels.join()}]` }, 0.95)), 0.95);
    const contents = { "a.zip": zipBytes(draw, files, 0.9) };
    const options = { skipBad: draw.chance(0.3), check: true };
    return { size: sizeOf(contents), run: () => use(edmZipDataset(options), contents) };
  },
};

const shards: FuzzedParser = {
  name: "tar shards of pictures",
  factor: 40 * INFLATION,
  slow: true,
  make(draw) {
    const isCaptioned = draw.chance(0.5);
    const shard = () => {
      const files: (readonly [string, Uint8Array])[] = [];
      for (let i = draw.between(1, 3); i > 0; i--) {
        const key = draw.text([`${i}`, `x/${i}`], 0.03);
        files.push([`${key}.png`, pictureBytes(draw)]);
        if (draw.chance(0.97))
          files.push([`${key}.cls`, utf8(draw.chance(0.95) ? String(draw.below(4)) : draw.text())]);
        if (isCaptioned)
          files.push([`${key}.json`, utf8(draw.chance(0.9) ? '{"caption":"x"}' : draw.json(2, ["caption"]))]);
        if (draw.chance(0.05)) files.push([`${key}.${draw.text(["npy", "txt", "png"])}`, draw.bytes(9)]);
      }
      return tarBytes(draw, files, 0.9);
    };
    const contents: Record<string, Uint8Array> = { "0.tar": shard() };
    if (draw.chance(0.3)) contents["1.tar"] = shard();
    return { size: sizeOf(contents), run: () => use(webdatasetDataset({ skipBad: draw.chance(0.3) }), contents) };
  },
};

const coco: FuzzedParser = {
  name: "captions of COCO",
  factor: 40 * INFLATION,
  slow: true,
  make(draw) {
    const ids = draw.list(3, (i) => i);
    if (ids.length === 0) ids.push(0);
    const images = ids.map((id) =>
      draw.object({ id: String(id), file_name: JSON.stringify(draw.text([`${id}.png`], 0.03)) }, 0.97),
    );
    const annotations = ids.map((id) =>
      draw.object({ image_id: String(id), caption: JSON.stringify(draw.text(["a cat"])) }, 0.97),
    );
    const json = draw.object(
      { images: `[${images.join()}]`, annotations: `[${annotations.join()}]`, info: draw.json(1) },
      0.97,
    );
    const contents: Record<string, Uint8Array> = { "captions.json": draw.damaged(utf8(json), 0.95) };
    for (const id of ids) contents[`${id}.png`] = pictureBytes(draw);
    return { size: sizeOf(contents), run: () => use(cocoDataset({ skipBad: draw.chance(0.3) }), contents) };
  },
};

const batch: FuzzedParser = {
  name: "CIFAR-10 batch for Python",
  factor: 64,
  heapFactor: 4000,
  slow: true,
  make(draw) {
    const pickled = () => {
      const made = new PickleDraw(draw, draw.pick([0, 0, 0, 0.05]));
      const rows = draw.between(1, 2);
      const data = joined([...Array.from({ length: rows }, () => draw.bytes(draw.chance(0.97) ? 3072 : 3071))]);
      const text = Array.from(data, (byte) => String.fromCharCode(byte)).join("");
      const size = String.fromCharCode(data.length & 255, (data.length >> 8) & 255, 0, 0);
      const dtype = `${made.call("numpy dtype", [made.text("u1"), "K\x00", "K\x01"])}(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb`;
      const array = `${made.call("numpy.core.multiarray _reconstruct", [made.global("numpy ndarray"), "K\x00\x85", "U\x01b"])}(K\x01${made.tuple([made.whole(rows), made.whole(3072)])}${dtype}\x89T${size}${text}tb`;
      const labels = Array.from({ length: draw.chance(0.95) ? rows : 3 }, () =>
        made.whole(draw.below(draw.chance(0.97) ? 10 : 99)),
      );
      const root = made.dict([
        [made.text("labels"), made.list(labels)],
        [made.text("data"), array],
      ]);
      return draw.damaged(ascii(`\x80\x02${root}.`), 0.85);
    };
    const contents = { data_batch_1: pickled(), test_batch: pickled() };
    return { size: sizeOf(contents), run: () => use(cifar10Dataset({ batches: 1 }), contents) };
  },
};

export const dataSetParsers: readonly FuzzedParser[] = [tar, pickle, prompts, braces, zip, shards, coco, batch];
