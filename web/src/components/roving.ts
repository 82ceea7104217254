// Moves the focus within a list by arrow keys, so that the list is one stop of the Tab key.

/**
 * @param list the element whose `data-roving` descendants take turns
 * @param across how many items lie in one line: up and down go that far
 */
export function rove(event: KeyboardEvent, list: HTMLElement, across = 1): void {
  const items = [...list.querySelectorAll<HTMLElement>('[data-roving]')]
  const here = items.indexOf(document.activeElement as HTMLElement)
  const to = target(event.key, here, items.length, across)
  if (here < 0 || to === null) return
  event.preventDefault()
  items[Math.min(Math.max(to, 0), items.length - 1)]?.focus()
}

function target(key: string, here: number, count: number, across: number): number | null {
  switch (key) {
    case 'ArrowRight':
      return here + 1
    case 'ArrowLeft':
      return here - 1
    case 'ArrowDown':
      return here + across
    case 'ArrowUp':
      return here - across
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return null
  }
}
