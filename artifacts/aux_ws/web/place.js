// A place for one digit: written with mouse, finger or pen, typed, or shown in a picture.

import { hasCamera, takePicture } from "./camera.js";
import { decode, pictureIn } from "./pictures.js";
import { drawStrokes, SIDE, writtenDigit } from "./strokes.js";

const REFUSED = {
  "no-ink": "No digit found",
  several: "More than one digit",
  unreadable: "This picture cannot be read",
};

export class Place extends EventTarget {
  #strokes = [];
  #picture = null; // {canvas, pixels} in place of strokes
  #before = []; // what undo goes back to
  #pointer = null;

  constructor(section, longest) {
    super();
    section.append(document.getElementById("place").content.cloneNode(true));
    this.name = section.dataset.name;
    this.longest = longest;
    this.paper = section.querySelector(".paper");
    this.canvas = section.querySelector(".paper canvas");
    this.context = this.canvas.getContext("2d");
    this.hint = section.querySelector(".hint");
    this.problem = section.querySelector(".problem");
    this.input = section.querySelector("input");
    this.tools = Object.fromEntries(
      Array.from(section.querySelectorAll("[data-tool]"), (button) => [button.dataset.tool, button]),
    );
    for (const button of Object.values(this.tools)) {
      button.setAttribute("aria-label", `${button.title}: ${this.name.toLowerCase()} digit`);
    }
    section.querySelector(".tools").setAttribute("aria-label", `${this.name} digit`);
    this.input.setAttribute("aria-label", `Picture of the ${this.name.toLowerCase()} digit`);
    this.#listen();
    this.#redraw();
  }

  get isEmpty() {
    return !this.#picture && this.#strokes.length === 0;
  }

  /** What is here, to be read: RGBA pixels. Strokes are black on white, whatever the theme shows. */
  pixels() {
    if (this.#picture) return this.#picture.pixels;
    const canvas = new OffscreenCanvas(SIDE, SIDE);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "white";
    context.fillRect(0, 0, SIDE, SIDE);
    drawStrokes(context, this.#strokes, "black");
    return context.getImageData(0, 0, SIDE, SIDE);
  }

  /** What is here, to be given to `content =` of another place. */
  get content() {
    return { strokes: this.#strokes, picture: this.#picture };
  }

  set content({ strokes = [], picture = null }) {
    this.#before.push(this.content);
    [this.#strokes, this.#picture] = [strokes, picture];
    this.#changed();
  }

  /** Say why what is here has no answer; "ok" takes that away. */
  refuse(status) {
    this.problem.textContent = REFUSED[status] ?? "";
  }

  /** Show a picture from a file or blob, or say why that fails. */
  async show(blob) {
    await this.#try(() => decode(blob, this.longest));
  }

  async #try(picture) {
    try {
      const taken = await picture();
      if (taken) this.content = { picture: taken };
    } catch (error) {
      this.problem.textContent = error.message;
    }
  }

  undo() {
    const before = this.#before.pop();
    if (!before) return;
    [this.#strokes, this.#picture] = [before.strokes, before.picture];
    this.#changed();
  }

  clear() {
    if (!this.isEmpty) this.content = {};
  }

  #changed() {
    this.problem.textContent = "";
    this.#redraw();
    this.dispatchEvent(new Event("change"));
  }

  #redraw() {
    const { context, canvas } = this;
    const scale = Math.min(3, Math.max(1, devicePixelRatio));
    canvas.width = canvas.height = SIDE * scale;
    if (this.#picture) {
      const source = this.#picture.canvas;
      const fit = canvas.width / Math.max(source.width, source.height);
      const [width, height] = [source.width * fit, source.height * fit];
      context.imageSmoothingEnabled = fit < 4; // the squares of a thumbnail stay sharp
      context.drawImage(source, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    } else {
      context.scale(scale, scale);
      drawStrokes(context, this.#strokes, getComputedStyle(canvas).getPropertyValue("--ink"));
    }
    this.hint.hidden = !this.isEmpty;
    this.tools.clear.disabled = this.isEmpty;
    this.tools.undo.disabled = this.#before.length === 0;
    const what = this.#picture ? "a picture" : this.isEmpty ? "empty" : "written";
    canvas.setAttribute("aria-label", `${this.name} digit: ${what}. Press a digit to write it.`);
  }

  #listen() {
    const { canvas, paper, tools, input } = this;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(type, (event) => this.#release(event));
    }
    canvas.addEventListener("keydown", (event) => this.#type(event));
    tools.undo.addEventListener("click", () => this.undo());
    tools.clear.addEventListener("click", () => this.clear());
    tools.file.addEventListener("click", () => this.#choose(false));
    tools.camera.addEventListener("click", () =>
      hasCamera() ? this.#try(() => takePicture(this.longest)) : this.#choose(true),
    );
    input.addEventListener("change", () => {
      if (input.files.length) this.show(input.files[0]);
      input.value = ""; // the same file can be chosen again
    });
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
      paper.addEventListener(type, (event) => {
        event.preventDefault();
        paper.classList.toggle("target", type === "dragenter" || type === "dragover");
        const picture = type === "drop" && pictureIn(event.dataTransfer);
        if (picture) this.show(picture);
      });
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  #choose(withCamera) {
    // A phone's own camera, where the page may not open it.
    this.input.toggleAttribute("capture", withCamera);
    this.input.click();
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  #press(event) {
    if (event.button !== 0 || this.#pointer !== null) return;
    this.#pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    const strokes = this.#picture ? [] : this.#strokes;
    this.content = { strokes: [...strokes, [this.#point(event)]] };
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    const stroke = this.#strokes[this.#strokes.length - 1];
    stroke.push(...(events.length ? events : [event]).map((each) => this.#point(each)));
    this.#changed();
  }

  #release(event) {
    if (event.pointerId === this.#pointer) this.#pointer = null;
  }

  #type(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) this.content = { strokes: writtenDigit(Number(event.key)) };
    else if (event.key === "Backspace") this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
  }
}
