/** Observers of a run. They watch and never change it; each is a function of its options that gives an `Observer`. */
export { diagnosisTable } from "./diagnosisTable.ts";
export type { Picture } from "./drawing/picture.ts";
export { encodePng } from "./drawing/png.ts";
export { type RowPanel, type RowPlotOptions, rowPlot } from "./drawing/rowPlot.ts";
export { type EventLogOptions, eventLog } from "./eventLog.ts";
export { healthTable, healthWarnings, warningLine, warningLines } from "./healthWarnings.ts";
export { type Incident, IncidentCounts, incidentText } from "./incidents.ts";
export { type DrawnSet, lastSamples } from "./lastSamples.ts";
export { type LoggedEvent, loggedLosses, logLines } from "./logLines.ts";
export { type LossCurvesOptions, lossCurves } from "./lossCurves.ts";
export { type LossReading, onLosses } from "./lossReadings.ts";
export * from "./page/mod.ts";
export { type ProgressOptions, progress } from "./progress.ts";
export { duration } from "./progressDisplay.ts";
export { realSamples } from "./realSamples.ts";
export {
  INTERVAL,
  judgedText,
  judgementTable,
  numberNames,
  resultTable,
  showMetric,
  showNumber,
} from "./resultTable.ts";
export { type RunPageOptions, runPage } from "./runPage.ts";
export { type SampleGridOptions, sampleGrids } from "./sampleGrids.ts";
export { checkDrawable, type SampleSheet, samplePicture } from "./samplePicture.ts";
export { table } from "./table.ts";
export { type ReferenceBand, type ReferenceRuns, type ReferenceView, referenceOf } from "./view/reference.ts";
export { type CurveChange, RunModel } from "./view/runModel.ts";
export type * from "./view/runView.ts";
export type { Stretch } from "./view/thinnedCourse.ts";
export { type WorkProgress, workProgress } from "./workProgress.ts";
