// Turns fingers, mouse and wheel into moves of the map: drag, pinch, wheel, tap, hover.

export interface GestureHooks {
  pan: (dx: number, dy: number) => void
  /** @param x @param y where, in CSS pixels within the element */
  zoom: (factor: number, x: number, y: number) => void
  tap: (x: number, y: number, touch: boolean) => void
  hover: (point: { x: number; y: number } | null) => void
  /** True while a finger or the wheel is at work. */
  moving: (moving: boolean) => void
}

interface Point {
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

export function followGestures(element: HTMLElement, hooks: GestureHooks): () => void {
  const fingers = new Map<number, Point>()
  const stop = new AbortController()
  const { signal } = stop
  let start: (Point & { at: number }) | null = null
  let wheelRest: ReturnType<typeof setTimeout> | undefined

  const pointOf = (event: MouseEvent): Point => {
    const box = element.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  const down = (event: PointerEvent) => {
    if (event.pointerType === 'mouse' && event.button !== 0) return
    element.setPointerCapture(event.pointerId)
    const point = pointOf(event)
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
    hooks.moving(true)
    const [one, two] = [...fingers.values()]
    fingers.set(event.pointerId, point)
    if (!one || !two) return hooks.pan(point.x - before.x, point.y - before.y)
    const [first, second] = [...fingers.values()]
    if (first && second) pinch([one, two], [first, second])
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
    if (fingers.size === 0) hooks.moving(false)
  }

  const wheel = (event: WheelEvent) => {
    event.preventDefault()
    const unit = event.deltaMode === 0 ? 1 : event.deltaMode === 1 ? LINE_PX : PAGE_PX
    const { x, y } = pointOf(event)
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
  }
}

const distance = ([a, b]: [Point, Point]) => Math.hypot(a.x - b.x, a.y - b.y)
const middle = ([a, b]: [Point, Point]): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
