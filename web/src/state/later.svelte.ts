// Owns a part of a screen that is loaded once it is wanted, and asked for again when it did not come.
import type { Component } from 'svelte'

const AGAIN_MS = 3_000

/** A page that stands alone has the styles of its later parts in one file, wanted with the first of them. */
let styles: Promise<unknown> | null = null
const loadStyles = (): Promise<unknown> =>
  (styles ??= new Promise((resolve, reject) => {
    const href = document.querySelector<HTMLMetaElement>('meta[name=later]')?.content
    if (!href) return resolve(null)
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href })
    link.addEventListener('load', resolve)
    link.addEventListener('error', () => {
      styles = null
      link.remove()
      reject(new Error('the styles did not come'))
    })
    document.head.append(link)
  }))

export class Later<Props extends object> {
  /** Null until it is there. */
  Part = $state.raw<Component<Props> | null>(null)
  readonly #load: () => Promise<{ default: Component<Props> }>
  #wanted = false

  constructor(load: () => Promise<{ default: Component<Props> }>) {
    this.#load = load
  }

  want(): void {
    if (this.#wanted) return
    this.#wanted = true
    Promise.all([this.#load(), loadStyles()]).then(
      ([loaded]) => (this.Part = loaded.default),
      () =>
        setTimeout(() => {
          this.#wanted = false
          this.want()
        }, AGAIN_MS),
    )
  }
}
