// Owns the language of the window: the page is built in it, and another one is another page.

export const LANGUAGE_COOKIE = 'language'

// The development server has one page for all languages.
if (import.meta.env?.DEV)
  document.documentElement.lang =
    new RegExp(`(?:^|; )${LANGUAGE_COOKIE}=([a-z-]+)`).exec(document.cookie)?.[1] ??
    document.documentElement.lang

/** BCP 47; what messages are written in, and what times, money and counts are formatted for. */
export const language: string = globalThis.document?.documentElement.lang || 'en'
