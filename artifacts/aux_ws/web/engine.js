// The model and the reading of pictures, in WebAssembly; see page.c.

export const STATUS = ["ok", "no-ink", "several", "unreadable"];
const TILE = 14 * 14;
const DIGITS = 10;

export async function loadEngine() {
  const response = await fetch("pairedge.wasm");
  if (!response.ok) throw new Error(`pairedge.wasm: ${response.status} ${response.statusText}`);
  // Not instantiateStreaming: some servers send another type than application/wasm.
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer());
  return new Engine(instance.exports);
}

export class Engine {
  constructor(wasm) {
    this.wasm = wasm;
    this.longest = wasm.longest();
    [this.version, this.variant, this.precision, this.digest] = this.#text(wasm.facts_at()).split("\n");
    this.card = this.#text(wasm.card_at());
    [this.pairThreshold, this.digitThreshold] = this.#floats(wasm.thresholds_at(), 2);
  }

  /** Read RGBA pixels, at most `longest` to a side, into place 0 or 1; the status, as in STATUS. */
  read(place, { data, width, height }) {
    new Uint8Array(this.wasm.memory.buffer, this.wasm.picture_at(), data.length).set(data);
    return STATUS[this.wasm.read(place, width, height)];
  }

  /** The tile at a place: 14 x 14 gray levels, a view that lasts until the next call. */
  tile(place) {
    return new Uint8Array(this.wasm.memory.buffer, this.wasm.tile_at(place), TILE);
  }

  /** The probabilities of the ten digits for the tile at a place. */
  classify(place) {
    this.wasm.classify(place);
    const probabilities = this.#floats(this.wasm.posterior_at(place), DIGITS);
    return { ...best(probabilities), uncertain: Math.max(...probabilities) < this.digitThreshold };
  }

  /** P(first <= second) for both tiles, the digits, and how sure that is: the least of the three. */
  compare() {
    this.wasm.compare();
    const [leq] = this.#floats(this.wasm.leq_at(), 1);
    const digits = [0, 1].map((place) => best(this.#floats(this.wasm.posterior_at(place), DIGITS)));
    const confidence = Math.min(Math.max(leq, 1 - leq), ...digits.map((each) => each.probability));
    return { leq, digits, confidence, uncertain: confidence < this.pairThreshold };
  }

  #floats(address, count) {
    return Array.from(new Float32Array(this.wasm.memory.buffer, address, count));
  }

  #text(address) {
    const bytes = new Uint8Array(this.wasm.memory.buffer, address);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }
}

function best(probabilities) {
  const probability = Math.max(...probabilities);
  return { probabilities, probability, digit: probabilities.indexOf(probability) };
}
