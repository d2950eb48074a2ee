/** What names of files and entries say. */

/** Endings of pictures that are read; which format one has, its content says. */
export const PICTURES: readonly string[] = ["png", "jpg", "jpeg", "jpe", "jfif", "webp"];

/** The name in its folder, and whether a system has made it, such as `.DS_Store` and what is in `__MACOSX`. */
const lastOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
export const isSystemFile = (name: string): boolean => name.startsWith("__MACOSX/") || lastOf(name).startsWith(".");

/** Whether a name is that of a picture. */
export const isPicture = (name: string): boolean =>
  PICTURES.includes(name.toLowerCase().match(/\.([a-z0-9]+)$/)?.[1] ?? "") && !isSystemFile(name);

/** "3 .npy are passed over". */
export function notesOf(others: ReadonlyMap<string, number>): string[] {
  if (others.size === 0) return [];
  return [`${[...others].map(([ending, count]) => `${count} ${ending}`).join(", ")} are passed over`];
}
