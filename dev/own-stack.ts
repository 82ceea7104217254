// Owns what a stack made for one run needs: a folder of its own, an end in reverse order, and servers that are waited for.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const READY_WITHIN_MS = 60_000
const POLL_MS = 50

export interface OwnStack {
  dir: string
  /** How to end what was begun, in the order in which it was. */
  undo: (() => Promise<unknown> | void)[]
  stop(): Promise<void>
}

/** Throws what `build` throws, once everything it had begun is undone. */
export async function buildOwnStack<T>(prefix: string, build: (own: OwnStack) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), prefix))
  const undo: OwnStack['undo'] = [() => rmSync(dir, { recursive: true, force: true })]
  const stop = async () => {
    for (const each of undo.toReversed()) await each()
    undo.length = 0
  }
  try {
    return await build({ dir, undo, stop })
  } catch (fault) {
    await stop()
    throw fault
  }
}

export async function untilReady(port: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null)
    if (answer?.ok) return
    await Bun.sleep(POLL_MS)
  }
  throw new Error(`nothing is ready on port ${port} after ${READY_WITHIN_MS / 1_000} s`)
}
