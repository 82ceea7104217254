// Owns where the window is: the address, the screen that belongs to it, and going from one to the next.

const KEPT_SCROLLS = 50

class Router {
  path = $state(location.pathname)
  search = $state.raw(new URLSearchParams(location.search))
  /** Grows with every arrival, also at the same address. */
  visit = $state(0)
  /** Where the person had scrolled to, by history entry; the oldest are forgotten. */
  #scrolls = new Map<number, number>()
  #entry = 0

  start(): void {
    history.scrollRestoration = 'manual'
    history.replaceState({ entry: this.#entry }, '')
    addEventListener('popstate', (event) => {
      this.#rememberScroll()
      this.#entry = entryOf(event.state)
      this.#arrive()
    })
    document.addEventListener('click', (event) => this.#follow(event))
  }

  /** @param address path with query, inside this site */
  go(address: string, { replace = false } = {}): void {
    this.#rememberScroll()
    if (replace) history.replaceState({ entry: this.#entry }, '', address)
    else {
      this.#entry += 1
      this.#scrolls.delete(this.#entry)
      history.pushState({ entry: this.#entry }, '', address)
    }
    this.#arrive()
  }

  /** Called by a screen once it stands, so that going back lands where the person was. */
  restoreScroll(): void {
    scrollTo(0, this.#scrolls.get(this.#entry) ?? 0)
  }

  #arrive(): void {
    this.path = location.pathname
    this.search = new URLSearchParams(location.search)
    this.visit += 1
  }

  #rememberScroll(): void {
    this.#scrolls.set(this.#entry, scrollY)
    const oldest = this.#scrolls.keys().next().value
    if (this.#scrolls.size > KEPT_SCROLLS && oldest !== undefined) this.#scrolls.delete(oldest)
  }

  /** A plain click on a plain link inside the window moves without loading; anything else is the browser's. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
    if (isServers(link.pathname)) return
    if (link.pathname === location.pathname && link.hash) return
    event.preventDefault()
    this.go(link.pathname + link.search)
  }
}

const entryOf = (state: unknown): number =>
  state !== null && typeof state === 'object' && 'entry' in state && typeof state.entry === 'number'
    ? state.entry
    : 0

/** Addresses that the server answers itself. */
const isServers = (path: string) => /^\/(api|dev|ws|metrics|health)(\/|$)/.test(path)

export { safeNext, signInAddress } from '../go.ts'

export const router = new Router()
