import type { Picture } from "../drawing/picture.ts";
import { encodePng } from "../drawing/png.ts";
import { type Html, html } from "./html.ts";
import type { Section, SectionOptions } from "./section.ts";

/** A picture and the words below it. */
export interface PagePicture {
  readonly picture: Picture;
  /** What it is: whose, of how many network calls. */
  readonly caption: string;
}

/** Pictures that belong together, such as those of several roles on the same noise. */
export interface PictureGroup {
  readonly pictures: readonly PagePicture[];
  /** What they have in common: label, seed. */
  readonly caption?: string;
}

/** Groups beside each other, as many as fit. */
export interface PictureSectionOptions extends SectionOptions {
  readonly groups: readonly PictureGroup[];
}

/** Pictures smaller than this, in pixels, are enlarged to about it, each pixel a square. */
const LEAST = 96;

/** Pictures in groups, as a part of a page. */
export function pictureSection({ title, about, groups }: PictureSectionOptions): Section {
  const body = html`${about === undefined ? undefined : html`<p class="about">${about}</p>\n`}<div class="groups">
${groups.map(group)}</div>
`;
  return { title, body };
}

function group({ pictures, caption }: PictureGroup): Html {
  return html`<figure class="group"><div class="pictures">
${pictures.map((each) => shown(each, caption))}</div>
${caption === undefined ? undefined : html`<figcaption>${caption}</figcaption>\n`}</figure>
`;
}

function shown({ picture, caption }: PagePicture, common: string | undefined): Html {
  const { width, height } = picture;
  const scale = Math.max(1, Math.round(LEAST / Math.max(width, height)));
  const small = scale > 1 ? html` class="small"` : undefined;
  const alt = common === undefined ? caption : `${caption}, ${common}`;
  return html`<figure style="width: ${width * scale}px; max-width: 100%"><img${small} src="data:image/png;base64,${base64(encodePng(picture))}" width="${width * scale}" height="${height * scale}" alt="${alt}"><figcaption>${caption}</figcaption></figure>
`;
}

/** Bytes that become letters at a time: more would not fit into the arguments of a call. */
const PORTION = 2 ** 15;

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let from = 0; from < bytes.length; from += PORTION)
    binary += String.fromCharCode(...bytes.subarray(from, from + PORTION));
  return btoa(binary);
}
