// Decides when the window is taken in by its service worker: once the page stands, and never in development.

/** A browser that refuses does without. */
const take = () => void navigator.serviceWorker.register('/sw.js').catch(() => {})

export function worksOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  if (document.readyState === 'complete') take()
  else addEventListener('load', take, { once: true })
}
