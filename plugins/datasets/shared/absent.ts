/** Says which files of a set are missing: none by name where all are, as the set is named elsewhere in the message. */
export function absent(missing: readonly string[], all: number): string {
  if (missing.length === all && all > 1) return `none of its ${all} files is there`;
  return `${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} not there`;
}
