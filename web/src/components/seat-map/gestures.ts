// Turns fingers, mouse and wheel into moves of the map: drag, throw, pinch, wheel, tap, hover, and a marked rectangle.

export interface GestureHooks {
  pan: (dx: number, dy: number) => void
  /** @param x @param y where, in CSS pixels within the element */
  zoom: (factor: number, x: number, y: number) => void
  tap: (x: number, y: number, touch: boolean) => void
  hover: (point: { x: number; y: number } | null) => void
  /** True while a finger or the wheel is at work. */
  moving: (moving: boolean) => void
  /** With Shift held a drag marks a rectangle instead of moving the map; without this hook it moves it all the same. */
  band?: (from: Point, to: Point, done: boolean) => void
}

export interface Point {
  x: number
  y: number
}

/** A finger that strays less than this has tapped. */
const TAP_SLOP_PX = 8
const TAP_MS = 600
const WHEEL_REST_MS = 160
const WHEEL_STEP = 0.0022
/** A wheel that counts in lines or pages, in pixels. */
const LINE_PX = 18
const PAGE_PX = 400
/** A thrown map goes on: so much of its speed is left after each millisecond, until it is this slow (pixels a ms). */
const GLIDE_LEFT = 0.995
const GLIDE_SLOWEST = 0.04
const GLIDE_FASTEST = 4
/** A finger that rested this long before it left did not throw. */
const THROW_MS = 60

export function followGestures(element: HTMLElement, hooks: GestureHooks): () => void {
  const fingers = new Map<number, Point>()
  const stop = new AbortController()
  const { signal } = stop
  let start: (Point & { at: number }) | null = null
  let banding: Point | null = null
  /** Of the finger, in pixels a millisecond. */
  let speed: Point & { at: number } = { x: 0, y: 0, at: 0 }
  let gliding = 0
  let wheelRest: ReturnType<typeof setTimeout> | undefined

  const pointOf = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  const down = (event: PointerEvent) => {
    if (event.pointerType === 'mouse' && event.button !== 0) return
    element.setPointerCapture(event.pointerId)
    const point = pointOf(event)
    cancelAnimationFrame(gliding)
    speed = { x: 0, y: 0, at: event.timeStamp }
    banding = event.shiftKey && hooks.band ? point : null
    fingers.set(event.pointerId, point)
    start = fingers.size === 1 ? { ...point, at: event.timeStamp } : null
    hooks.hover(null)
  }

  const move = (event: PointerEvent) => {
    const point = pointOf(event)
    const before = fingers.get(event.pointerId)
    if (!before) {
      if (event.pointerType === 'mouse') hooks.hover(point)
      return
    }
    if (start && Math.hypot(point.x - start.x, point.y - start.y) < TAP_SLOP_PX) return
    start = null
    if (banding) return hooks.band?.(banding, point, false)
    hooks.moving(true)
    measureSpeed(event.timeStamp, point.x - before.x, point.y - before.y)
    const [one, two] = [...fingers.values()]
    fingers.set(event.pointerId, point)
    if (!one || !two) return hooks.pan(point.x - before.x, point.y - before.y)
    const [first, second] = [...fingers.values()]
    if (first && second) pinch([one, two], [first, second])
  }

  const measureSpeed = (at: number, dx: number, dy: number) => {
    const ms = Math.max(1, at - speed.at)
    // The last few moves count, the latest most.
    const mix = (old: number, step: number) => old * 0.4 + (step / ms) * 0.6
    speed = { x: mix(speed.x, dx), y: mix(speed.y, dy), at }
  }

  const glide = (from: number) => {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return hooks.moving(false)
    const step = (now: number) => {
      const ms = Math.max(0, now - from)
      from = now
      const slower = GLIDE_LEFT ** ms
      speed = { x: speed.x * slower, y: speed.y * slower, at: now }
      if (Math.hypot(speed.x, speed.y) < GLIDE_SLOWEST) return hooks.moving(false)
      hooks.pan(speed.x * ms, speed.y * ms)
      gliding = requestAnimationFrame(step)
    }
    gliding = requestAnimationFrame(step)
  }

  const pinch = (before: [Point, Point], after: [Point, Point]) => {
    const [from, to] = [middle(before), middle(after)]
    hooks.pan(to.x - from.x, to.y - from.y)
    const apart = Math.max(1, distance(before))
    hooks.zoom(distance(after) / apart, to.x, to.y)
  }

  const up = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId)) return
    const point = pointOf(event)
    if (event.type === 'pointerup' && start && event.timeStamp - start.at < TAP_MS)
      hooks.tap(point.x, point.y, event.pointerType !== 'mouse')
    start = null
    if (banding) hooks.band?.(banding, point, true)
    if (fingers.size > 0 || banding) {
      // The finger that stays neither throws nor jumps.
      speed = { x: 0, y: 0, at: event.timeStamp }
      banding = null
      return
    }
    const pace = Math.hypot(speed.x, speed.y)
    const thrown = event.type === 'pointerup' && event.timeStamp - speed.at < THROW_MS && pace > GLIDE_SLOWEST
    if (!thrown) return hooks.moving(false)
    const slower = Math.min(1, GLIDE_FASTEST / pace)
    speed = { x: speed.x * slower, y: speed.y * slower, at: speed.at }
    glide(performance.now())
  }

  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const unit = event.deltaMode === 0 ? 1 : event.deltaMode === 1 ? LINE_PX : PAGE_PX
    const { x, y } = pointOf(event)
    cancelAnimationFrame(gliding)
    hooks.moving(true)
    // A pinch on a touchpad arrives as a wheel with ctrl, in much smaller steps.
    const step = event.ctrlKey ? WHEEL_STEP * 4 : WHEEL_STEP
    hooks.zoom(Math.exp(-event.deltaY * unit * step), x, y)
    clearTimeout(wheelRest)
    wheelRest = setTimeout(() => hooks.moving(false), WHEEL_REST_MS)
  }

  element.addEventListener('pointerdown', down, { signal })
  element.addEventListener('pointermove', move, { signal })
  element.addEventListener('pointerup', up, { signal })
  element.addEventListener('pointercancel', up, { signal })
  element.addEventListener('pointerleave', () => hooks.hover(null), { signal })
  element.addEventListener('wheel', wheel, { signal, passive: false })
  return () => {
    stop.abort()
    clearTimeout(wheelRest)
    cancelAnimationFrame(gliding)
  }
}

const distance = ([a, b]: [Point, Point]) => Math.hypot(a.x - b.x, a.y - b.y)
const middle = ([a, b]: [Point, Point]): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
