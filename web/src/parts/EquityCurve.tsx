// The equity curve: what the account was worth, from the database and then once a second; around it the band of three fill models, beside
// it the ghost's line, where there are any.
import type { IChartApi, ICustomSeriesPaneView, ISeriesApi, UTCTimestamp } from "lightweight-charts";
import { AreaSeries, createChart, LineSeries, LineStyle } from "lightweight-charts";
import { useEffect, useRef } from "react";
import { endsAt } from "../beside";
import { coordinate } from "../decimal";
import { current, subscribe, useView } from "../desk";
import type { EquityAt, View } from "../model";
import type { BandData, BandOptions } from "./bandSeries";
import { BandView } from "./bandSeries";
import type { Colours } from "./charting";
import { colours, options, useTheme } from "./charting";

export function EquityCurve() {
  const holder = useRef<HTMLDivElement>(null);
  const few = useView((view) => view.equity.length < 2);
  const theme = useTheme();
  const band = useView((view) => bandNumbers(view).length > 0);
  const ghost = useView((view) => ghostNumber(view) !== null);
  useEffect(() => {
    if (holder.current === null) return;
    const drawing = new Curve(holder.current);
    return () => drawing.end();
  }, [theme, band, ghost]);
  const beside = band || ghost;
  return (
    <>
    {beside && (
      <p className="curve-key" aria-hidden="true">
        <span className="own-line">account</span>
        {band && <span className="band-area">three fill models</span>}
        {ghost && <span className="ghost-line">GHOST</span>}
      </p>
    )}
    <div className={beside ? "curve-box wide" : "curve-box"}>
      <div ref={holder} className="curve" role="img" aria-label={`Equity over time${band ? ", with the band of three fill models around it" : ""}${ghost ? ", and the ghost's line" : ""}; the figure above is the latest`} />
      {few && <p className="over">The equity curve begins with the first seconds.</p>}
    </div>
    </>
  );
}

function bandNumbers(view: View): number[] {
  return (view.desk?.accounts ?? []).filter(({ role }) => role === "band").map(({ account }) => account);
}

function ghostNumber(view: View): number | null {
  return view.desk?.accounts?.find(({ role }) => role === "ghost")?.account ?? null;
}

/** A curve shorter than this has seconds on its axis: minutes alone would repeat. */
const SECONDS_BELOW_S = 600;

class Curve {
  private readonly chart: IChartApi;
  private readonly area: ISeriesApi<"Area">;
  private readonly band: ISeriesApi<"Custom"> | null;
  private readonly ghost: ISeriesApi<"Line"> | null;
  private readonly others: number[];
  private readonly spectre: number | null;
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
    this.others = bandNumbers(current());
    this.spectre = ghostNumber(current());
    this.band = this.others.length > 0 ? addBand(this.chart, paint) : null;
    const line = { lineWidth: 1, lineStyle: LineStyle.Dashed, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false } as const;
    this.ghost = this.spectre === null ? null : this.chart.addSeries(LineSeries, { ...line, color: paint.ghost });
    const topColor = this.band === null ? paint.fill : "transparent";
    this.area = this.chart.addSeries(AreaSeries, { lineColor: paint.accent, topColor, bottomColor: "transparent", lineWidth: 1, priceLineVisible: false });
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
    if (view.equityLoaded !== this.loaded || this.points.length === 0 || view.equity.length < this.points.length) {
      this.area.setData(view.equity.map(point));
      this.band?.setData(view.equity.flatMap((one) => this.width(one)));
      this.ghost?.setData(view.equity.flatMap((one) => this.haunted(one)));
    } else
      for (const one of view.equity.filter(({ s }) => s > last)) {
        this.area.update(point(one));
        for (const row of this.width(one)) this.band?.update(row);
        for (const row of this.haunted(one)) this.ghost?.update(row);
      }
    this.points = view.equity;
    this.loaded = view.equityLoaded;
    const seconds = (this.points.at(-1)?.s ?? 0) - (this.points[0]?.s ?? 0) < SECONDS_BELOW_S;
    this.chart.timeScale().applyOptions({ secondsVisible: seconds });
    this.chart.timeScale().fitContent();
  }

  private width(one: EquityAt): BandData[] {
    const ends = endsAt(one, this.others);
    return ends === null ? [] : [{ time: one.s as UTCTimestamp, ...ends }];
  }

  private haunted(one: EquityAt): { time: UTCTimestamp; value: number }[] {
    const equity = this.spectre === null ? undefined : one.others?.[this.spectre];
    return equity === undefined ? [] : [point({ s: one.s, equity })];
  }

  private drawOpening(opening: string | null): void {
    if (opening === null || opening === this.opening) return;
    this.opening = opening;
    const paint = colours();
    this.area.createPriceLine({ price: coordinate(opening), color: paint.text, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: false, title: "" });
  }
}

function addBand(chart: IChartApi, paint: Colours): ISeriesApi<"Custom"> {
  const view: ICustomSeriesPaneView<UTCTimestamp, never, BandOptions> = new BandView({ fill: paint.band, edge: paint.band }) as never;
  return chart.addCustomSeries(view as never, { priceLineVisible: false, lastValueVisible: false });
}

function point({ s, equity }: EquityAt): { time: UTCTimestamp; value: number } {
  return { time: s as UTCTimestamp, value: coordinate(equity) };
}
