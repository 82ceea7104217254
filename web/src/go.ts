// Owns going to another address from a screen, whichever page the screen stands in.

type Go = (address: string, options?: { replace?: boolean }) => void

/** A page of its own loads the next one; the window's router takes over where there is one. */
let way: Go = (address, { replace = false } = {}) =>
  replace ? location.replace(address) : location.assign(address)

/** @param address path with query, inside this site */
export const go: Go = (address, options) => way(address, options)
export const goBy = (other: Go): void => {
  way = other
}

/** An address to return to after signing in: only ever inside this site. */
export function safeNext(next: string | null): string {
  if (!next?.startsWith('/')) return '/'
  const target = new URL(next, location.origin)
  return target.origin === location.origin ? target.pathname + target.search : '/'
}

export const signInAddress = (back: string): string => `/login?next=${encodeURIComponent(back)}`
