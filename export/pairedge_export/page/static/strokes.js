// Handwritten strokes: how they are drawn, and one hand's ten digits for the keyboard.

export const SIDE = 280; // of the paper, in units of strokes
const WIDTH = 20; // of the pen: a ninth of a digit's height, as in MNIST

/** Draw strokes, lists of points [x, y], as smooth curves. */
export function drawStrokes(context, strokes, color) {
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = WIDTH;
  context.lineCap = context.lineJoin = "round";
  for (const points of strokes) {
    context.beginPath();
    context.moveTo(...points[0]);
    for (let i = 1; i + 1 < points.length; i++) {
      const [[x, y], [u, v]] = [points[i], points[i + 1]];
      context.quadraticCurveTo(x, y, (x + u) / 2, (y + v) / 2);
    }
    context.lineTo(...points[points.length - 1]); // a dot, when there is one point
    context.stroke();
  }
}

// In tenths of the paper.
const DIGITS = [
  [[5.2, 2.2, 3.8, 2.6, 3, 4.4, 3.1, 6.4, 4, 7.8, 5.3, 7.9, 6.5, 6.9, 7, 5, 6.7, 3.2, 5.6, 2.2, 4.9, 2.3]],
  [[5.2, 2.1, 5.1, 4, 5, 6, 4.9, 7.9]],
  [[3.4, 3.6, 3.9, 2.5, 5.1, 2, 6.3, 2.5, 6.5, 3.7, 5.9, 5, 4.6, 6.4, 3.3, 7.8, 3.5, 7.8, 5, 7.6, 6.9, 7.7]],
  [[3.6, 2.7, 4.8, 2, 6.1, 2.4, 6.3, 3.6, 5.5, 4.6, 4.7, 4.8, 6, 5.1, 6.6, 6.2, 6.1, 7.5, 4.9, 8, 3.5, 7.4]],
  [[4.2, 2.2, 3.8, 3.8, 3.2, 5.3, 3.4, 5.5, 5, 5.3, 6.9, 5.2], [6.1, 2.3, 6, 4, 5.8, 6, 5.7, 7.9]],
  [[6.5, 2.2, 5.2, 2.3, 3.9, 2.4, 3.8, 3.6, 3.6, 4.7, 4.9, 4.4, 6.2, 4.9, 6.6, 6.1, 6, 7.4, 4.8, 7.9, 3.4, 7.5]],
  [[6, 2.1, 4.7, 3, 3.7, 4.7, 3.3, 6.3, 3.9, 7.6, 5.1, 8, 6.3, 7.4, 6.5, 6.2, 5.7, 5.3, 4.5, 5.5, 3.6, 6.6]],
  [[3.2, 2.4, 5, 2.3, 6.7, 2.3, 6.3, 3.4, 5.5, 5, 4.8, 6.5, 4.4, 7.9]],
  [[6.2, 3, 5.2, 2.1, 4, 2.5, 3.8, 3.6, 4.7, 4.6, 5.9, 5.6, 6.2, 6.9, 5.3, 7.9, 4, 7.5, 3.7, 6.3, 4.6, 5.1, 5.8, 4.2, 6.3, 3]],
  [[6.3, 3.4, 5.4, 2.2, 4.1, 2.5, 3.6, 3.8, 4.2, 4.9, 5.3, 4.8, 6.3, 3.5, 6.3, 3.3, 6.2, 5.2, 5.8, 7.9]],
];

/** The strokes of a digit, 0 to 9. */
export function writtenDigit(digit) {
  return DIGITS[digit].map((line) =>
    Array.from({ length: line.length / 2 }, (_, i) => [line[2 * i], line[2 * i + 1]].map((t) => (t * SIDE) / 10)),
  );
}
