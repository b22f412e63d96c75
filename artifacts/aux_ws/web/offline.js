// Keeps the files of the page, so that it works offline. pairedge-export writes their digests in place of the
// empty list: another page is another script, which the browser then installs.

const FILES = {
  "answer.js": "sha256-nUe9U8QgZvybkooCq6fVz6AdT+07096T1qWkgUvfzzw=",
  "camera.js": "sha256-7b2JA5Y0FIM7azOixHVgvEI7Zhd0bEqAPSiZQPT5EFY=",
  "eight.png": "sha256-H6QAp+UgTQmPtu+oXQa8QL7Y8Vuxed9691q5rFGi8dY=",
  "engine.js": "sha256-e8nh/zcApAE/TYl8jWVIWYK/88PDOu1hrzf50pazGcc=",
  "five.png": "sha256-Bzi5xzw8wYBMFrsvNyaGpqNJ4te5Nl8/lxhkMW6Y/s0=",
  "icon.svg": "sha256-et0Zx3ZVksOivevLTC0kXRrpKsiKkhP3DQJFqktVuAk=",
  "index.html": "sha256-5kAX5feISG4Phfdyl3/Jvl566znQsMnfTWykcblOnZA=",
  "main.js": "sha256-5I4NLIYEHg5VLgcuQsQxxLXWy93bZk0pnbfczrTmsrw=",
  "nine.png": "sha256-Srt/r6fP5QfTb+4SBStJqXHN+GAzAgVu8ABrAkYXzWg=",
  "page.webmanifest": "sha256-bnul8FP2pVD+FK1Z//Ub/z7mmOuH8moCEDLB2oPydv0=",
  "pairedge.wasm": "sha256-g1zzpBssebrOgSHmVqooQ+BwBJqF4em8e/4Tk3dAPc8=",
  "pictures.js": "sha256-1jGWeVjdSabhp7lzEIrTDXsLnGsKjIaRyBCP/adefPA=",
  "place.js": "sha256-UuSxQWrxuCpZwLKBFJwIGIS1lvZGg15eQrJAnp6f/rY=",
  "seven.png": "sha256-kZHCoeCb21hq03v4HABAmvGUik3Rlt6MpQ/8AAZdDZs=",
  "strokes.js": "sha256-YowgxBzLunvM5Xg5OHLM9GUCAksWimucl5HDCKYUf8Y=",
  "style.css": "sha256-aLEhQ+CugaMCjKFx9r0zhyjdOXep4jyDiJ2gN1sBgGw=",
  "three.png": "sha256-Ft8wfCk4ccqyXOsVKVj27F4iGW5cIVSLNHGtr1S5quk=",
  "zero.png": "sha256-P/STj3TNyv+k0EO8bnLkaU+Y+auWnIAs5dFM3cx/rSo="
};
const PAGE = `pairedge ${self.registration.scope} `; // other pages of this site have caches of their own
const CACHE = PAGE + Object.values(FILES).join(" ");

self.addEventListener("install", (event) => {
  const requests = Object.entries(FILES).map(([name, integrity]) => new Request(name, { integrity, cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith(PAGE) && name !== CACHE);
  const forget = caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name))));
  event.waitUntil(forget.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { pathname } = new URL(event.request.url);
  const name = pathname.endsWith("/") ? "index.html" : event.request;
  event.respondWith(caches.match(name).then((kept) => kept ?? fetch(event.request)));
});
