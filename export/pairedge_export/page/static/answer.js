// What the page shows of an answer.

const percent = (probability) => `${(100 * probability).toFixed(probability > 0.9995 || probability < 0.0005 ? 0 : 1)} %`;

/** Show what the model saw at a place, and the probabilities of its digits; nothing, when there is no tile. */
export class Seen {
  constructor(section) {
    this.name = section.dataset.name.toLowerCase();
    this.tile = section.querySelector(".tile");
    this.bars = section.querySelector(".bars");
    for (let digit = 0; digit < 10; digit++) {
      const item = document.createElement("span");
      item.append(document.createElement("i"), String(digit));
      this.bars.append(item);
    }
    this.show(null, null);
  }

  show(tile, classified) {
    const context = this.tile.getContext("2d");
    const levels = tile ?? new Uint8Array(14 * 14);
    context.putImageData(new ImageData(rgba(levels), 14, 14), 0, 0);
    this.tile.setAttribute("aria-label", tile ? `The ${this.name} tile, as the model sees it` : `No ${this.name} tile`);
    Array.from(this.bars.children).forEach((item, digit) => {
      const probability = classified ? classified.probabilities[digit] : 0;
      item.firstChild.style.height = `${4 * probability}rem`; // as high as the tile
      item.classList.toggle("most", classified?.digit === digit);
    });
    this.bars.setAttribute("aria-label", classified ? described(classified) : "No probabilities yet");
  }
}

function rgba(levels) {
  return Uint8ClampedArray.from({ length: 4 * levels.length }, (_, i) => (i % 4 === 3 ? 255 : levels[i >> 2]));
}

/** The two most probable digits in words. */
function described({ probabilities }) {
  const order = probabilities.map((probability, digit) => ({ probability, digit }));
  order.sort((a, b) => b.probability - a.probability);
  return order.slice(0, 2).map((each) => `${each.digit}: ${percent(each.probability)}`).join(", ");
}

/** Show the answer for the pair. */
export function showPair({ leq, digits, confidence, uncertain }, threshold) {
  const holds = leq >= 0.5;
  const [first, second] = digits.map((each) => each.digit);
  const relation = holds ? "≤" : ">";
  const word = uncertain ? "Uncertain" : holds ? "Yes" : "No";
  say(`${word}: ${first} ${relation} ${second}`, uncertain ? "unsure" : holds ? "yes" : "no", relation);
  const parts = [`P(first ≤ second) = ${leq.toFixed(4)}`, `confidence ${confidence.toFixed(3)}`];
  if (uncertain) parts.push(`below this model's threshold of ${threshold.toFixed(3)}`);
  detail(parts.join(" · "), leq);
}

/** Show what is known when only one place, or none, has a digit. */
export function showOne(classified, name) {
  if (!classified) {
    say("Write two digits", "", "?");
    detail(" ");
    return;
  }
  const { digit, probability, uncertain } = classified;
  say(`The ${name} is ${uncertain ? "perhaps " : ""}a ${digit}`, uncertain ? "unsure" : "", "?");
  detail(`${percent(probability)} · now the other one`);
}

/** Show one sentence in place of an answer. */
export function showProblem(sentence) {
  say(sentence, "no", "?");
  detail(" ");
}

function say(text, kind, relation) {
  const verdict = document.getElementById("verdict");
  if (verdict.textContent !== text) verdict.textContent = text; // or a screen reader says it again
  verdict.className = kind;
  const shown = document.getElementById("relation");
  shown.textContent = relation;
  shown.className = kind;
}

function detail(text, leq = null) {
  document.getElementById("detail").textContent = text;
  document.querySelector(".verdict").classList.toggle("answered", leq !== null);
  if (leq !== null) document.getElementById("needle").style.left = `${100 * leq}%`;
}
