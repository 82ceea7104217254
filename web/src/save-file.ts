// Hands the person a file made in the window.

/** Long enough for a browser to have taken the file. */
const FORGET_AFTER_MS = 10_000

export function saveFile(content: string, type: string, name: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), FORGET_AFTER_MS)
}
