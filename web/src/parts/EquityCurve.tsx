// The equity curve: what the account was worth, from the database and then once a second.
import type { IChartApi, ISeriesApi, UTCTimestamp } from "lightweight-charts";
import { AreaSeries, createChart, LineStyle } from "lightweight-charts";
import { useEffect, useRef } from "react";
import { coordinate } from "../decimal";
import { current, subscribe, useView } from "../desk";
import type { EquityAt, View } from "../model";
import { colours, options, useTheme } from "./charting";

export function EquityCurve() {
  const holder = useRef<HTMLDivElement>(null);
  const few = useView((view) => view.equity.length < 2);
  const theme = useTheme();
  useEffect(() => {
    if (holder.current === null) return;
    const drawing = new Curve(holder.current);
    return () => drawing.end();
  }, [theme]);
  return (
    <div className="curve-box">
      <div ref={holder} className="curve" role="img" aria-label="Equity over time; the figure above is the latest" />
      {few && <p className="over">The equity curve begins with the first seconds.</p>}
    </div>
  );
}

/** A curve shorter than this has seconds on its axis: minutes alone would repeat. */
const SECONDS_BELOW_S = 600;

class Curve {
  private readonly chart: IChartApi;
  private readonly area: ISeriesApi<"Area">;
  private readonly leave: () => void;
  private points: readonly EquityAt[] = [];
  private loaded = -1;
  private opening: string | null = null;

  constructor(holder: HTMLElement) {
    const paint = colours();
    const base = options(paint);
    this.chart = createChart(holder, {
      ...base,
      grid: { vertLines: { visible: false }, horzLines: { color: paint.line } },
      timeScale: { ...base.timeScale, rightOffset: 0, fixLeftEdge: true },
      rightPriceScale: { ...base.rightPriceScale, scaleMargins: { top: 0.1, bottom: 0.08 } },
      handleScroll: false,
      handleScale: false,
    });
    this.area = this.chart.addSeries(AreaSeries, { lineColor: paint.accent, topColor: paint.fill, bottomColor: "transparent", lineWidth: 1, priceLineVisible: false });
    this.leave = subscribe(() => this.draw(current()));
    this.draw(current());
  }

  end(): void {
    this.leave();
    this.chart.remove();
  }

  private draw(view: View): void {
    this.drawOpening(view.state?.opening_equity ?? null);
    if (view.equity === this.points && view.equityLoaded === this.loaded) return;
    const last = this.points.at(-1)?.s ?? 0;
    if (view.equityLoaded !== this.loaded || this.points.length === 0 || view.equity.length < this.points.length) this.area.setData(view.equity.map(point));
    else for (const one of view.equity.filter(({ s }) => s > last)) this.area.update(point(one));
    this.points = view.equity;
    this.loaded = view.equityLoaded;
    const seconds = (this.points.at(-1)?.s ?? 0) - (this.points[0]?.s ?? 0) < SECONDS_BELOW_S;
    this.chart.timeScale().applyOptions({ secondsVisible: seconds });
    this.chart.timeScale().fitContent();
  }

  private drawOpening(opening: string | null): void {
    if (opening === null || opening === this.opening) return;
    this.opening = opening;
    const paint = colours();
    this.area.createPriceLine({ price: coordinate(opening), color: paint.text, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: false, title: "" });
  }
}

function point({ s, equity }: EquityAt): { time: UTCTimestamp; value: number } {
  return { time: s as UTCTimestamp, value: coordinate(equity) };
}
