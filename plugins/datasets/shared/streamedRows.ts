/** Rows of shards that are too many for memory: read when a batch asks for them, and kept while there is room. */
import type { StoredTensor } from "../../../core/io/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";
import { checkFinite, type Shards, type StoredColumn, widen } from "./shards.ts";
import { together } from "./together.ts";

/** Bytes of all columns, as they are stored. */
export const storedBytes = (columns: Readonly<Record<string, StoredColumn>>): number =>
  Object.values(columns).reduce((sum, { parts }) => sum + parts.reduce((all, { bytes }) => all + bytes, 0), 0);

/** Takes rows of columns, as `takeRows` does of such that are in memory. */
export class StreamedRows {
  readonly #name: string;
  readonly #shards: Shards<StoredColumn>;
  readonly #room: number;
  /** Rows as stored, the one that was asked for last at the end. */
  readonly #kept = new Map<string, StoredTensor["data"]>();
  #bytes = 0;

  /** @param room bytes that may be kept */
  constructor(name: string, shards: Shards<StoredColumn>, room: number) {
    this.#name = name;
    this.#shards = shards;
    this.#room = room;
  }

  /** @throws E_DATA for a row that holds NaN or infinity, E_FILE */
  async take(key: string, rows: ArrayLike<number>): Promise<Float32Array> {
    const { dtype, shape } = this.#shards.columns[key];
    const width = sizeOf(shape);
    const taken = new Float32Array(rows.length * width);
    await together(rows.length, async (i) => {
      widen(dtype, await this.#row(key, rows[i]), taken.subarray(i * width, (i + 1) * width));
    });
    return taken;
  }

  async #row(key: string, row: number): Promise<StoredTensor["data"]> {
    const name = `${key} ${row}`;
    const known = this.#kept.get(name);
    if (known) {
      this.#kept.delete(name);
      this.#kept.set(name, known);
      return known;
    }
    const column = this.#shards.columns[key];
    const [shard, place] = this.#shards.place(row);
    const { data } = await column.parts[shard].rows(place, 1);
    checkFinite(this.#name, key, { ...column, parts: [data], files: [column.files[shard]] }, place);
    if (!this.#kept.has(name)) this.#bytes += data.byteLength;
    this.#kept.set(name, data);
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#bytes <= this.#room) break;
      this.#kept.delete(oldest);
      this.#bytes -= byteLength;
    }
    return data;
  }
}
