// What both charts share: colours from the page's own, and local time on the axis.
import type { ChartOptions, DeepPartial, Time } from "lightweight-charts";
import { ColorType, TickMarkType } from "lightweight-charts";
import { useEffect, useState } from "react";
import { clock, dateTime } from "../format";

export interface Colours {
  text: string;
  line: string;
  up: string;
  down: string;
  accent: string;
  fill: string;
  band: string;
  ghost: string;
  volumeUp: string;
  volumeDown: string;
}

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: of("--dim"), line: of("--line"), up: of("--up"), down: of("--down"), accent: of("--accent"),
    fill: of("--accent-wash"), band: of("--band"), ghost: of("--ghost"), volumeUp: of("--up-wash"), volumeDown: of("--down-wash"),
  }; // prettier-ignore
}

/** Counts up when the theme changes, by hand or by the system. */
export function useTheme(): number {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const changed = () => setTheme((known) => known + 1);
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", changed);
    window.addEventListener("paperdesk-theme", changed);
    return () => {
      system.removeEventListener("change", changed);
      window.removeEventListener("paperdesk-theme", changed);
    };
  }, []);
  return theme;
}

const two = (n: number): string => String(n).padStart(2, "0");

function tick(time: Time, kind: TickMarkType): string {
  const date = new Date(Number(time) * 1000);
  if (kind === TickMarkType.Time) return clock(date.getTime()).slice(0, 5);
  if (kind === TickMarkType.TimeWithSeconds) return clock(date.getTime());
  return kind === TickMarkType.Year ? String(date.getFullYear()) : `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function options(paint: Colours): DeepPartial<ChartOptions> {
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: "transparent" },
      textColor: paint.text,
      fontFamily: "ui-monospace, 'SFMono-Regular', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
      fontSize: 11,
      attributionLogo: false,
    },
    grid: { vertLines: { color: paint.line }, horzLines: { color: paint.line } },
    rightPriceScale: { borderColor: paint.line },
    timeScale: { borderColor: paint.line, timeVisible: true, secondsVisible: false, tickMarkFormatter: tick, rightOffset: 9 },
    localization: { timeFormatter: (time: Time) => dateTime(Number(time) * 1000).slice(0, 16) },
  };
}
