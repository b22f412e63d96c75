// A picture from the camera, in a dialog; the middle square of what it shows.

import { toPixels } from "./pictures.js";

export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** The picture that the user takes; null when the dialog was left. An Error of one sentence without a camera. */
export async function takePicture(longest) {
  const dialog = document.getElementById("camera");
  const video = dialog.querySelector("video");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    const reason = error.name === "NotAllowedError" ? "The camera is not allowed here." : "There is no camera.";
    throw new Error(reason);
  }
  try {
    video.srcObject = stream;
    await video.play();
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
    if (dialog.returnValue !== "take") return null;
    const side = Math.min(video.videoWidth, video.videoHeight);
    const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    const square = await createImageBitmap(video, left, top, side, side);
    return toPixels(square, side, side, longest);
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
