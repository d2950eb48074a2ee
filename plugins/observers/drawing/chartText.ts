import { type ChartOptions, chart } from "./chart.ts";

/** A chart as the text of an SVG, without a browser. What draws it is loaded with the first one. */
export async function chartText(options: ChartOptions): Promise<string> {
  const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return chart(Plot, document as unknown as Document, options).outerHTML;
}
