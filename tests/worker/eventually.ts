// Owns waiting in the worker's tests: for a condition, with a deadline, never for a fixed time.
const POLL_MS = 10
const DEADLINE_MS = 10_000

/** Resolves when the condition holds; throws after the deadline. A throwing condition counts as not yet. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  withinMs = DEADLINE_MS,
): Promise<void> {
  const deadline = Date.now() + withinMs
  let last: unknown
  while (Date.now() < deadline) {
    try {
      if (await condition()) return
      last = undefined
    } catch (fault) {
      last = fault
    }
    await Bun.sleep(POLL_MS)
  }
  throw new Error(`not within ${withinMs} ms${last ? `: ${String(last)}` : ''}`)
}
