/** One HTML file that opens anywhere, made of typed sections. */
export { type CurveSectionOptions, curveSection, type PageChart } from "./curveSection.ts";
export { Html, type HtmlValue, html } from "./html.ts";
export { htmlPage, type PageOptions } from "./htmlPage.ts";
export { type PagePicture, type PictureGroup, type PictureSectionOptions, pictureSection } from "./pictureSection.ts";
export type { Section, SectionOptions } from "./section.ts";
export { type SettingsSectionOptions, settingsSection } from "./settingsSection.ts";
export { shownSamples } from "./shownSamples.ts";
export { type Cell, type MarkedCell, type TableSectionOptions, tableSection } from "./tableSection.ts";
export { type TextSectionOptions, textSection } from "./textSection.ts";
export { type WarningSectionOptions, warningSection } from "./warningSection.ts";
