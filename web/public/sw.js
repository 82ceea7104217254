// Keeps the window standing where the network does not: its code, and the last page seen. What the server says of seats,
// places and money is never kept here: an old answer must not look like a live one.
const KEPT = 'onsale-1'
/** Enough for two versions of everything; the oldest go first. */
const FILES_MAX = 300
const PATIENCE_MS = 8_000
/** The server's own addresses. */
const LIVE = /^\/(api|dev|ws|metrics|health)(\/|$)/
const ROOM = /^\/events\/[^/]+\/room$/

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname, search } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin || LIVE.test(pathname)) return
  if (pathname.startsWith('/assets/')) event.respondWith(kept(request))
  else if (request.mode === 'navigate' && !search.startsWith('?plain'))
    event.respondWith(page(request, pathname))
})

/** Named after what is in them, so what is kept is what would come. */
async function kept(request) {
  const cache = await caches.open(KEPT)
  const found = await cache.match(request)
  if (found) return found
  const answer = await fetch(request)
  if (answer.ok) {
    await cache.put(request, answer.clone())
    const files = await cache.keys()
    await Promise.all(files.slice(0, Math.max(0, files.length - FILES_MAX)).map((file) => cache.delete(file)))
  }
  return answer
}

/** The network's page; the last one of its kind only while there is none to be had. */
async function page(request, pathname) {
  const cache = await caches.open(KEPT)
  const kind = ROOM.test(pathname) ? '/kept/room' : '/kept/window'
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) })
    if (answer.ok && !answer.redirected) await cache.put(kind, answer.clone())
    if (answer.status < 500) return answer
    return (await cache.match(kind)) ?? answer
  } catch {
    return (await cache.match(kind)) ?? Response.error()
  }
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const path = String(event.notification.data ?? '/')
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then((open) => {
      const there = open.find((client) => new URL(client.url).pathname === path)
      return there ? there.focus() : self.clients.openWindow(path)
    }),
  )
})
