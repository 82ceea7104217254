// What k6 offers of a console; its own types leave it to the browser's.
declare const console: Record<'log' | 'info' | 'warn' | 'error', (...words: unknown[]) => void>
