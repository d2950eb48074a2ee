import { mkdirSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { contentOf, differences } from "../../../../examples/cli/evaluate/protocol.ts";
import { missingFor, protocolNamed, protocols } from "../../../../examples/cli/evaluate/protocols.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { scratch } from "../program.ts";

const test = suite("examples/cli/evaluate/protocols");
const { path, remove } = scratch();
test.after(remove);

const everything = { has: () => true, weights: () => true, set: () => true, reference: true };

test("a protocol lists what is missing, and nothing when all is there", () => {
  for (const named of Object.values(protocols)) {
    const metrics = Object.keys(named.metrics);
    assert.equal(missingFor(named, { ...everything, metrics }), []);
    const bare = missingFor(named, { ...everything, weights: () => false, reference: false, metrics });
    assert.match(bare[0], /^--reference \(.+\)$/);
    assert.match(bare[1], /^--set extractors\.inception\.weights=FILE \(.+\)$/);
  }
  const own = { ...everything, has: () => false, metrics: ["clip-score"] };
  assert.equal(missingFor(protocols.coco10k, own), ["the metric clip-score, a plugin"]);
  const without = (...metrics: string[]) => missingFor(protocols.coco10k, { ...everything, set: () => false, metrics });
  assert.equal(without("fid"), []);
  assert.is(without("clip-score").length, 4);
  assert.match(without("clip-score")[0], /^--set extractors\.clip-vision\.weights=FILE \(OpenCLIP's ViT-g-14/);
});

test("an unknown name is told of one that is near", () => {
  assert.match(thrown(() => protocolNamed("coco10")).message, /did you mean "coco10k"/);
});

test("published numbers belong to metrics of their protocol, and the paper's method is among them", () => {
  for (const { published, metrics } of Object.values(protocols))
    for (const row of published)
      for (const name of Object.keys(row.metrics)) assert.ok(Object.hasOwn(metrics, name), `${row.who}: ${name}`);
  assert.is(protocols["imagenet64-dmd2"].published.find(({ who }) => who === "DMD2")?.metrics.fid, 1.51);
});

test("a folder is named by what it holds, not by where it lies", async () => {
  const make = (folder: string, text: string) => {
    mkdirSync(path(`${folder}/a`), { recursive: true });
    writeFileSync(path(`${folder}/a/1.png`), text);
    writeFileSync(path(`${folder}/.hidden`), folder);
    return contentOf(path(folder));
  };
  const here = await make("here", "x");
  assert.match(here!, /^[0-9a-f]{16}$/);
  assert.is(await make("there", "x"), here);
  assert.is.not(await make("elsewhere", "y"), here);
  assert.is(await contentOf(path("nowhere")), undefined);
});

test("differences name their path", () => {
  const [a, b] = [
    { count: 1, fid: { bytes: "edm" } },
    { count: 2, fid: { bytes: "edm", size: 256 } },
  ];
  assert.equal(differences(a, b), ["count: 1 and 2", "fid.size: undefined and 256"]);
  assert.equal(differences({ seed: 0 }, { seed: -0 }), []);
});

test.run();
