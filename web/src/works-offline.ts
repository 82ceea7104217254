// Decides when the window is taken in by its service worker: once the page stands, and never in development.

export function worksOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  const take = () => void navigator.serviceWorker.register('/sw.js').catch(() => {})
  if (document.readyState === 'complete') take()
  else addEventListener('load', take, { once: true })
}
