import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  curveSection,
  html,
  htmlPage,
  pictureSection,
  settingsSection,
  tableSection,
  textSection,
  warningSection,
} from "../../../../plugins/observers/page/mod.ts";
import { unbalanced } from "../../../helpers/htmlTags.ts";

const test = suite("plugins/observers/page");

/** Markup, quotes, an entity, a control and a mark that turns the direction of writing. */
const HOSTILE = `</style><script>alert(1)</script>"'&amp;\u0000\u202e <img src=https://example.com/x onerror=alert(1)>`;
const picture = { width: 2, height: 2, channels: 1 as const, data: Uint8Array.of(0, 80, 160, 255) };

/** Every section, with the same text in every place that takes some. */
const pageOf = (text: string) =>
  htmlPage({
    title: text,
    about: text,
    footer: text,
    sections: [
      textSection({ title: text, about: text, lines: [text], commands: [text] }),
      pictureSection({
        title: text,
        about: text,
        groups: [{ caption: text, pictures: [{ picture, caption: text }] }],
      }),
      curveSection({
        title: text,
        about: text,
        charts: [
          {
            title: text,
            x: text,
            y: text,
            notes: [text],
            series: [
              { name: text, steps: [0, 1], values: [1, 2] },
              { name: `${text}2`, steps: [0, 1], values: [1, Number.NaN] },
            ],
          },
        ],
      }),
      tableSection({
        title: text,
        about: text,
        columns: [text, "FID"],
        rows: [
          [text, 1.5],
          [text, { value: "2.1 ± 0.3", mark: "quoted" }],
        ],
        notes: [text],
      }),
      settingsSection({ title: text, about: text, values: { [text]: { [text]: text, list: [text, 1] } } }),
      settingsSection({ title: text, folded: true, values: { [text]: text } }),
      warningSection({
        title: text,
        warnings: [{ monitor: text, stage: text, step: 1, steps: 2, message: text, advice: text, severe: true }],
        others: [text],
      }),
    ],
  });

test("a page is one file: no script, and nothing that is loaded from elsewhere", async () => {
  const page = await pageOf("plain");
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  assert.not.match(page, /<script|<link|<iframe|@import/);
  const addresses = [...page.matchAll(/(?:src|href|xlink:href)="([^"]*)"|url\(([^)]*)\)/g)].map(([, a, b]) => a ?? b);
  for (const address of addresses) assert.match(address, /^(data:image\/png;base64,|#part-\d+$)/);
  assert.match(page, /default-src 'none'/);
  assert.equal(unbalanced(page), []);
});

test("text in any place is text: it closes no tag, opens none and runs nothing", async () => {
  const [plain, hostile] = [await pageOf("plain"), await pageOf(HOSTILE)];
  assert.equal(unbalanced(hostile), []);
  const tags = (page: string) => page.match(/<\/?[a-z]+/g);
  assert.equal(tags(hostile), tags(plain));
  assert.ok(hostile.includes("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;\ufffd\ufffd"));
  for (const each of ["\u0000", "\u202e"]) assert.not.ok(hostile.includes(each));
});

test("a picture is in the page, as PNG, small ones enlarged", async () => {
  const page = await pageOf("plain");
  const [, width, bytes] = page.match(/<img class="small" src="data:image\/png;base64,([^"]+)" width="(\d+)"/) ?? [];
  assert.is(bytes, "96");
  assert.is(Buffer.from(width, "base64").subarray(1, 4).toString(), "PNG");
});

test("columns of numbers stand to the right, with the places that suit them", async () => {
  const { body } = tableSection({
    title: "t",
    columns: ["who", "NFE", "FID", "note"],
    rows: [
      ["teacher", 35, { value: 2.32, mark: "best" }, "a"],
      ["data", "-", "2.5 ± 0.1", undefined],
    ],
  });
  const { text } = await body;
  assert.match(
    text,
    /<th scope="row">teacher<\/th><td class="number">35<\/td><td class="number best">2.320<\/td><td>a<\/td>/,
  );
  assert.match(text, /<td class="number">-<\/td><td class="number">2.5 ± 0.1<\/td><td><\/td>/);
});

test("nothing to warn of is said, and settings keep their path", async () => {
  assert.match((await warningSection({ warnings: [] }).body).text, /No monitor has found anything/);
  const { text } = await settingsSection({ title: "s", values: { train: { seed: 0, off: undefined }, a: {} } }).body;
  assert.match(text, /<code>train.seed<\/code><\/th><td><code>0</);
  assert.not.match(text, /train.off/);
  assert.match(text, /<code>a<\/code><\/th><td><code>{}</);
});

test("html escapes what it is given, and takes lists and its own kind as they are", () => {
  const inner = html`<b>${"<"}</b>`;
  assert.is(html`<p title="${'"'}">${[inner, "&", 1]}${undefined}</p>`.text, '<p title="&quot;"><b>&lt;</b>&amp;1</p>');
});

test.run();
