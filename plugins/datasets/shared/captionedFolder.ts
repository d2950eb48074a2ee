import type { FileSystem, StoredFile } from "../../../core/io/mod.ts";
import { findPictures } from "./pictureFolder.ts";
import { type FoundPicture, type PictureSet, pictureSet } from "./pictureSet.ts";

/**
 * The pictures of a folder and of its subfolders, each with the caption of the text file beside it: `cat.jpg` and `cat.txt`.
 * @throws E_DATA where there are no pictures
 */
export async function captionedFolder(files: FileSystem, path: string): Promise<PictureSet> {
  const { pictures, others } = await findPictures(files, path, 0);
  const found: FoundPicture[] = [];
  for (const { path: file } of pictures) {
    const text = file.replace(/\.[^.]+$/, ".txt");
    found.push({
      file: fileAt(files, file),
      ...((await files.exists(text)) && { caption: fileAt(files, text) }),
    });
  }
  const passedOver = [...others.values()].reduce((a, b) => a + b, 0);
  return pictureSet({
    name: "pictures",
    from: path,
    found,
    classes: 0,
    notes: passedOver > 0 ? [`${passedOver} pictures of other formats are passed over`] : [],
  });
}

/** A file that stands alone, read when it is needed. */
export const fileAt = (files: FileSystem, path: string): StoredFile => ({ name: path, read: () => files.read(path) });
