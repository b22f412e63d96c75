// Keeps the files of the page, so that it works offline. pairedge-export writes their digests in place of the
// empty list: another page is another script, which the browser then installs.

const FILES = {};
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
