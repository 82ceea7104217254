// Reads the colours of the map from the stylesheet, so that the canvas follows light, dark and high contrast.

export interface Palette {
  tiers: string[]
  ink: string
  inkSoft: string
  paper: string
  raised: string
  sunken: string
  rule: string
  control: string
  accent: string
  accentInk: string
  focus: string
  font: string
}

/** Categories beyond the colours share them again: the shape and the list tell them apart. */
const TIER_COLOURS = 6

export function readPalette(element: Element): Palette {
  const probe = document.createElement('span')
  element.append(probe)
  const colour = (name: string): string => {
    // A custom property comes back as written, light-dark() and all; a real property comes back computed.
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const palette: Palette = {
    tiers: Array.from({ length: TIER_COLOURS }, (_, index) => colour(`tier-${index + 1}`)),
    ink: colour('ink'),
    inkSoft: colour('ink-soft'),
    paper: colour('paper'),
    raised: colour('raised'),
    sunken: colour('sunken'),
    rule: colour('rule'),
    control: colour('control'),
    accent: colour('accent'),
    accentInk: colour('accent-ink'),
    focus: colour('focus'),
    font: getComputedStyle(element).fontFamily,
  }
  probe.remove()
  return palette
}

export const tierColour = (palette: Palette, tier: number): string =>
  palette.tiers[tier % TIER_COLOURS] ?? palette.ink
