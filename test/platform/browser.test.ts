// The library in a page: models are drawn with in headless Chromium as they are in Node.
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { writeTinyModel } from "../../examples/tiny-models/write.ts";
import { hasChromium, inChromium } from "../helpers/chromium.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";
import { drawnPictures } from "./tinyPictures.ts";

const test = suite("platform/browser");

const inPage = hasChromium() ? test : test.skip;
inPage("tiny SD 1.5 and SDXL models give the same picture in a page as in Node, both on wasm", async () => {
  const models = memoryFiles();
  for (const kind of ["sd15", "sdxl"] as const) await writeTinyModel(models, kind, { kind });
  const packed = [...models.contents].map(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]);
  const { outputFiles } = await build({
    entryPoints: ["test/platform/browserPage.ts"],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error",
  });
  const files = { "/models.json": JSON.stringify(Object.fromEntries(packed)) };
  const page = JSON.parse(await inChromium(outputFiles[0].text, files));
  assert.is(page.error, undefined);
  const node = await drawnPictures(Object.fromEntries(models.contents));
  assert.equal([page.isolated, page.threads], [true, 2]);
  assert.equal(Object.keys(page.pictures), ["sd15", "sdxl"]);
  for (const [kind, picture] of Object.entries(node.pictures)) {
    const [here, there] = [picture, page.pictures[kind]].map((text) => Buffer.from(text, "base64"));
    const differing = here.filter((level, i) => level !== there[i]).length;
    assert.is(differing, 0, `${differing} of ${here.length} bytes of ${kind} differ`);
  }
});

test.run();
