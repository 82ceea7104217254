/** Decides what happens when a child of `up` dies: it comes back, a little later each time, or all ends. */
import type { RunningChild } from '../stores/process.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000
const FAILURES_BEFORE_GIVING_UP = 10
const FAILURE_WINDOW_MS = 60_000

export interface ChildPlan<Child extends RunningChild = RunningChild> {
  name: string
  /** Resolves when the child is usable; the same port and data at every call. */
  start(): Promise<Child>
  /** How long it may take to stop before it is killed. */
  stopMs: number
  /** Before the first restart, in ms; doubles with each failure in the window. */
  firstPauseMs?: number
}

interface Watched {
  plan: ChildPlan
  running: RunningChild | undefined
  /** When it failed, in ms, no older than the window. */
  failures: number[]
}

export interface SupervisorEvents {
  /** A child has another pid now. */
  changed(): void
  /** A child cannot be kept alive, or died while everything was still starting. */
  gaveUp(sentence: string): void
  say(sentence: string): void
}

export class Supervisor {
  readonly #events: SupervisorEvents
  readonly #children = new Map<string, Watched>()
  #settled = false
  #stopping = false

  constructor(events: SupervisorEvents) {
    this.#events = events
  }

  /** Starts a child and watches it from then on. Rejects when it does not start. */
  async add<Child extends RunningChild>(plan: ChildPlan<Child>): Promise<Child> {
    const watched: Watched = { plan, running: undefined, failures: [] }
    this.#children.set(plan.name, watched)
    const running = await plan.start()
    this.#watch(watched, running)
    return running
  }

  /** From now on a death is repaired; before, it means that the start failed. */
  settle() {
    this.#settled = true
  }

  pidOf(name: string): number | undefined {
    return this.#children.get(name)?.running?.pid
  }

  pids(): number[] {
    return [...this.#children.values()].flatMap(({ running }) => (running ? [running.pid] : []))
  }

  /** Stops group after group of names, together within a group; a name nobody runs is passed over. */
  async stop(groups: string[][]) {
    this.#stopping = true
    for (const group of groups) {
      const members = group.flatMap((name) => this.#children.get(name) ?? [])
      await Promise.all(members.map(({ running, plan }) => running?.stop(plan.stopMs)))
    }
  }

  /** For the moment when no time is left. */
  kill() {
    for (const pid of this.pids()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Already gone, which is what was wanted.
      }
    }
  }

  #watch(watched: Watched, running: RunningChild) {
    watched.running = running
    this.#events.changed()
    void running.exited.then(() => {
      watched.running = undefined
      if (this.#stopping) return
      if (this.#settled) void this.#bringBack(watched)
      else this.#events.gaveUp(`${watched.plan.name} ended while Onsale was starting`)
    })
  }

  async #bringBack(watched: Watched) {
    const { name } = watched.plan
    let why = 'ended'
    while (!this.#stopping) {
      const now = Date.now()
      watched.failures = [...watched.failures.filter((at) => now - at < FAILURE_WINDOW_MS), now]
      const count = watched.failures.length
      if (count >= FAILURES_BEFORE_GIVING_UP) {
        this.#events.gaveUp(`${name} failed ${count} times within a minute, last: ${why}`)
        return
      }
      const pauseMs = Math.min(
        (watched.plan.firstPauseMs ?? FIRST_PAUSE_MS) * 2 ** (count - 1),
        LONGEST_PAUSE_MS,
      )
      this.#events.say(`${name} ${why}; starting it again`)
      await Bun.sleep(pauseMs)
      if (this.#stopping) return
      try {
        const running = await watched.plan.start()
        this.#watch(watched, running)
        if (this.#stopping) await running.stop(watched.plan.stopMs)
        return
      } catch (error) {
        why = `did not start (${error instanceof Error ? error.message : String(error)})`
      }
    }
  }
}
