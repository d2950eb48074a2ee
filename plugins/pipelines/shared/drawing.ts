/** What is drawn with: the model's own rules, a student's, or what is asked for. */
import { failure, suggestion } from "../../../core/errors.ts";
import type { ModelParts, PipelineModel, PipelineSection } from "../../../core/interfaces/mod.ts";
import type { Registry } from "../../../core/plugin/mod.ts";
import { type Drawing, hasLevels, manifestDrawing, students } from "./students.ts";

/** Wishes of whoever draws. */
export interface DrawingWishes {
  /** Whose rules: `model` (its scheduler), `manifest`, or the name of a student; by default the manifest, if there is one. */
  readonly as?: string;
  /** Network calls. */
  readonly steps?: number;
  /** Name of another sampler. */
  readonly sampler?: string;
  readonly guidanceScale?: number;
}

/** Options that another sampler of the same model takes over, where it has them. */
const SHARED = ["steps", "spacing", "offset", "endAtFirst", "sigmaMin", "sigmaMax", "startAtLevel"];

/** @throws E_OPTION for rules that are not known; E_MISSING_PLUGIN for a sampler that is not */
export function drawingOf(
  { model, parts, pipeline }: { model: PipelineModel; parts: ModelParts; pipeline: string },
  wishes: DrawingWishes,
  registry: Registry,
): Drawing {
  const { steps, sampler, guidanceScale } = wishes;
  const as = wishes.as ?? (parts.sampler && hasLevels(parts.sampler) ? "manifest" : "model");
  const drawing = rulesOf(as, { model, parts, pipeline, steps });
  const { least, most } = drawing.scales ?? { least: 0, most: Number.POSITIVE_INFINITY };
  if (guidanceScale !== undefined && (guidanceScale < least || guidanceScale > most))
    throw failure(
      "E_OPTION",
      `Cannot draw with guidance ${guidanceScale}: the generator of ${parts.path} has learned scales from ${least} to ${most}`,
      { fix: "choose one of these" },
    );
  return {
    ...drawing,
    sampler: sampler === undefined ? drawing.sampler : another(sampler, drawing.sampler, registry, steps),
    guidanceScale: guidanceScale ?? drawing.guidanceScale,
  };
}

function rulesOf(
  as: string,
  scene: { model: PipelineModel; parts: ModelParts; pipeline: string; steps?: number },
): Drawing {
  const { model, parts, steps } = scene;
  if (as === "model") {
    const { process, sampler } = model.config;
    return {
      as,
      process,
      sampler: { ...sampler, ...(steps !== undefined && { steps }) },
      guidanceScale: model.guidanceScale,
    };
  }
  if (as === "manifest" && parts.sampler && hasLevels(parts.sampler))
    return manifestDrawing(parts.sampler, scene, parts.path);
  if (Object.hasOwn(students, as)) return { as, ...students[as](scene) };
  const known = ["model", ...(parts.sampler && hasLevels(parts.sampler) ? ["manifest"] : []), ...Object.keys(students)];
  throw failure("E_OPTION", `Cannot draw as ${as}: should be one of ${known.join(", ")}${suggestion(as, known)}`);
}

function another(name: string, own: PipelineSection, registry: Registry, steps: number | undefined): PipelineSection {
  if (name === own.use) return own;
  const { options } = registry.get("sampler", name).definition;
  const shared = SHARED.filter((each) => Object.hasOwn(options, each) && own[each] !== undefined);
  // Levels that no timestep has would be asked of the network otherwise.
  const spacing = Object.hasOwn(options, "spacing") && own.spacing === undefined ? { spacing: "trailing" } : {};
  return {
    use: name,
    ...spacing,
    ...Object.fromEntries(shared.map((each) => [each, own[each]])),
    ...(steps !== undefined && Object.hasOwn(options, "steps") && { steps }),
  };
}
