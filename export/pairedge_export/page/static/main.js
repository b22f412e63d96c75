// The page: two places, one answer.

import { Seen, showOne, showPair, showProblem } from "./answer.js";
import { loadEngine } from "./engine.js";
import { pictureIn } from "./pictures.js";
import { Place } from "./place.js";

const EXAMPLES = ["three", "seven", "five", "eight", "zero", "nine"];

async function start() {
  const engine = await loadEngine();
  const sections = Array.from(document.querySelectorAll(".place"));
  const places = sections.map((section) => new Place(section, engine.longest));
  const seen = sections.map((section) => new Seen(section));
  const statuses = [null, null];
  let last = 0; // the place that was changed last: it takes what is pasted
  let due = false;

  function answer() {
    due = false;
    const known = places.map((place, i) => (statuses[i] === "ok" ? engine.classify(i) : null));
    if (known.every(Boolean)) {
      const pair = engine.compare();
      seen.forEach((each, i) => each.show(engine.tile(i), pair.digits[i]));
      showPair(pair, engine.pairThreshold);
      return;
    }
    seen.forEach((each, i) => each.show(known[i] && engine.tile(i), known[i]));
    const one = known.findIndex(Boolean);
    showOne(known[one], one === 0 ? "first" : "second");
  }

  // As one writes: at most once a frame, and only what has changed is read.
  function read(i) {
    const place = places[i];
    statuses[i] = place.isEmpty ? null : engine.read(i, place.pixels());
    place.refuse(statuses[i]);
  }

  const changed = new Set();
  function schedule(i) {
    last = i;
    changed.add(i);
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      changed.forEach(read);
      changed.clear();
      answer();
    });
  }

  places.forEach((place, i) => place.addEventListener("change", () => schedule(i)));
  document.getElementById("swap").addEventListener("click", () => {
    const [first, second] = places.map((place) => place.content);
    [places[0].content, places[1].content] = [second, first];
  });
  document.addEventListener("paste", (event) => {
    const picture = pictureIn(event.clipboardData);
    if (picture) free().show(picture);
  });
  // A picture that misses the paper must not replace the page.
  for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => event.preventDefault());

  /** Where a picture goes that was meant for no place: an empty one, else the one changed last. */
  function free() {
    return places.find((place) => place.isEmpty) ?? places[last];
  }

  listExamples(async (name) => {
    const place = free();
    await place.show(await (await fetch(`${name}.png`)).blob());
  });
  describe(engine);
  answer();
  document.documentElement.dataset.ready = "";
}

function listExamples(choose) {
  for (const name of EXAMPLES) {
    const [item, button, image] = ["li", "button", "img"].map((tag) => document.createElement(tag));
    button.type = "button";
    button.title = `Example: a ${name}`;
    image.src = `${name}.png`;
    image.alt = `Example: a ${name}`;
    button.append(image);
    button.addEventListener("click", () => choose(name));
    item.append(button);
    document.getElementById("examples").append(item);
  }
}

function describe(engine) {
  const facts = { Model: engine.variant, Version: engine.version, Precision: engine.precision, Weights: engine.digest };
  for (const [name, value] of Object.entries(facts)) {
    const [term, description] = ["dt", "dd"].map((tag) => document.createElement(tag));
    term.textContent = name;
    description.textContent = value;
    document.getElementById("facts").append(term, description);
  }
  document.getElementById("card").textContent = engine.card;
}

start().catch((error) => showProblem(`The model cannot be loaded: ${error.message}`));
if ("serviceWorker" in navigator && isSecureContext) {
  // Without it the page works as well, only not offline.
  navigator.serviceWorker.register("offline.js").catch(() => {});
}
