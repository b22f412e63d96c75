// From a file, a blob or a frame of video to pixels, decoded by the browser.

const LARGEST = 64_000_000; // pixels, as in pairedge

/** A picture that the browser can decode, shrunk to a longest side; an Error of one sentence where it cannot. */
export async function decode(blob, longest) {
  let bitmap;
  try {
    // As the file has them: its colors, not those of a profile; upright, as the camera was held.
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", imageOrientation: "from-image" });
  } catch {
    throw new Error("This is not a picture that the browser can read.");
  }
  if (bitmap.width * bitmap.height > LARGEST) throw new Error("The picture has more than 64 million pixels.");
  return toPixels(bitmap, bitmap.width, bitmap.height, longest);
}

/** The pixels of anything that a canvas can draw. */
export function toPixels(source, width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return { canvas, pixels: context.getImageData(0, 0, canvas.width, canvas.height) };
}

/** The first picture among what was dropped or pasted; null where there is none. */
export function pictureIn(transfer) {
  const files = Array.from(transfer?.files ?? []);
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}
