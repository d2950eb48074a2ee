/** Rows of text as aligned columns: numbers to the right, the rest to the left. The first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const cells = (column: number) => rows.map((row) => row[column] ?? "");
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...cells(column).map((cell) => cell.length)));
  const numeric = widths.map((_, column) =>
    cells(column)
      .slice(1)
      .every((cell) => cell === "" || cell === "-" || cell.split(" ± ").every((part) => Number.isFinite(Number(part)))),
  );
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = row[column] ?? "";
        return numeric[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}
