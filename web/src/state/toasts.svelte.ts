// Owns the short words that pass by at the edge of the window: what was done, and for how long it may be undone.
import { mount } from 'svelte'

/** Long enough to be read; whoever points at them, or looks elsewhere, gets more. */
const SHOWN_MS = 7_000
const TOASTS_MAX = 3

export interface Toast {
  id: number
  text: string
  action?: { text: string; run: () => void }
}

class Toasts {
  shown = $state.raw<Toast[]>([])
  #last = 0
  #timers = new Map<number, ReturnType<typeof setTimeout>>()

  /** Says it; the oldest goes when there are too many. Nothing that must be read belongs here. */
  say(text: string, action?: Toast['action']): void {
    this.#last += 1
    const toast: Toast = { id: this.#last, text, ...(action ? { action } : {}) }
    for (const old of this.shown.slice(0, this.shown.length - TOASTS_MAX + 1)) this.end(old.id)
    this.shown = [...this.shown, toast]
    this.resume()
  }

  end(id: number): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    this.shown = this.shown.filter((toast) => toast.id !== id)
  }

  /** Somebody is reading or pressing: none goes meanwhile. */
  pause(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }

  resume(): void {
    for (const { id } of this.shown)
      if (!this.#timers.has(id))
        this.#timers.set(
          id,
          setTimeout(() => this.end(id), SHOWN_MS),
        )
  }
}

export const toasts = new Toasts()

let drawn: Promise<unknown> | null = null
/** Their drawing is loaded with the first of them; a reader must know the place before there are words in it. */
const draw = () =>
  (drawn ??= import('../components/Toasts.svelte').then(({ default: Drawn }) =>
    mount(Drawn, { target: document.body }),
  ))
/** "Seat taken out", with the way to undo it where there is one. */
export async function say(text: string, action?: Toast['action']): Promise<void> {
  await draw().catch(() => (drawn = null))
  toasts.say(text, action)
}
