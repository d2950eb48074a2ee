import type { Html } from "./html.ts";

/** A part of a page under a heading of its own. */
export interface Section {
  readonly title: string;
  /** What stands below the heading. */
  readonly body: Html | Promise<Html>;
}

/** What every section may have. */
export interface SectionOptions {
  readonly title: string;
  /** A sentence or two below the heading: what is shown, and how to read it. */
  readonly about?: string;
}
