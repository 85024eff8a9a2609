// Exact decimals. Money comes as decimal text and is shown as it came; the few sums this page makes (an order's estimate) are made in
// whole numbers (bigint) with a scale, never in floating point.

export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const SHAPE = /^([+-]?)(\d+)(?:\.(\d*))?$/;

/** The decimal that a text names, or null where it names none ("1e5", "1,000", "" and "." name none). */
export function parse(text: string): Decimal | null {
  const match = SHAPE.exec(text.trim());
  if (match === null) return null;
  const fraction = match[3] ?? "";
  const units = BigInt((match[2] ?? "0") + fraction);
  return { units: match[1] === "-" ? -units : units, scale: fraction.length };
}

/** As `parse`, for texts of the api, which are decimals. */
export function exact(text: string): Decimal {
  const value = parse(text);
  if (value === null) throw new Error(`${JSON.stringify(text)} is no decimal number`);
  return value;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale), scale];
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return { units: x + y, scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, { units: -b.units, scale: b.scale });
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { units: a.units * b.units, scale: a.scale + b.scale };
}

/** Below, equal, above: −1, 0, 1. */
export function compare(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function sign(a: Decimal): number {
  return a.units < 0n ? -1 : a.units > 0n ? 1 : 0;
}

/** Whether a value is a whole number of steps (a tick, a lot). */
export function onGrid(value: Decimal, step: Decimal): boolean {
  const [x, y] = aligned(value, step);
  return y !== 0n && x % y === 0n;
}

/** The nearest values on the grid, at and below, above. */
export function neighbours(value: Decimal, step: Decimal): [Decimal, Decimal] {
  const [x, y, scale] = aligned(value, step);
  const below = x - (((x % y) + y) % y);
  return [
    { units: below, scale },
    { units: below + y, scale },
  ];
}

/** How many whole steps go into a value, neither below zero. */
export function steps(value: Decimal, step: Decimal): bigint {
  const [x, y] = aligned(value, step);
  return y === 0n ? 0n : x / y;
}

/** So many steps. */
export function times(step: Decimal, count: bigint): Decimal {
  return { units: step.units * count, scale: step.scale };
}

/** With at most `places` decimals; what is cut off is rounded away from zero, so that an estimate of a cost is never too low. */
export function roundedUp(a: Decimal, places: number): Decimal {
  if (a.scale <= places) return a;
  const step = 10n ** BigInt(a.scale - places);
  const rest = a.units % step;
  const cut = a.units / step;
  return { units: rest === 0n ? cut : cut + (a.units < 0n ? -1n : 1n), scale: places };
}

/** With exactly `places` decimals, halves away from zero. For percentages and the like, which only inform. */
export function rounded(a: Decimal, places: number): Decimal {
  if (a.scale <= places) return { units: a.units * 10n ** BigInt(places - a.scale), scale: places };
  const step = 10n ** BigInt(a.scale - places);
  const half = a.units < 0n ? -step / 2n : step / 2n;
  return { units: (a.units + half) / step, scale: places };
}

/** a ÷ b as a percentage with `places` decimals, or null where b is zero. */
export function percent(a: Decimal, b: Decimal, places = 2): Decimal | null {
  const [x, y] = aligned(a, b);
  if (y === 0n) return null;
  return rounded({ units: (x * 100n * 10n ** BigInt(places + 2)) / y, scale: places + 2 }, places);
}

/** Plain text, without grouping, trailing zeros kept. */
export function text(a: Decimal): string {
  const digits = (a.units < 0n ? -a.units : a.units).toString().padStart(a.scale + 1, "0");
  const body = a.scale === 0 ? digits : `${digits.slice(0, -a.scale)}.${digits.slice(-a.scale)}`;
  return a.units < 0n ? `-${body}` : body;
}

/** Without trailing zeros. */
export function trimmed(a: Decimal): string {
  const body = text(a);
  return body.includes(".") ? body.replace(/\.?0+$/, "") : body;
}

/** For coordinates of charts and widths of bars only. */
export function coordinate(value: string): number {
  return Number(value);
}
