// One-minute bars with volume, our fills as arrows, open orders as lines. Drawn by hand outside of React's cycle: each change of the view is
// looked at once a frame, and only what changed is given to the chart.
import type { IChartApi, IPriceLine, ISeriesApi, ISeriesMarkersPluginApi, MouseEventParams, SeriesMarker, Time, UTCTimestamp } from "lightweight-charts";
import { CandlestickSeries, createChart, createSeriesMarkers, HistogramSeries, LineStyle } from "lightweight-charts";
import { useEffect, useRef, useState } from "react";
import { coordinate } from "../decimal";
import { current, subscribe, useView } from "../desk";
import { amount, clock, count, dateTime, decimals, msOf, sender, utc } from "../format";
import type { FillRow, View } from "../model";
import { instrumentOf, marketOf, trust } from "../model";
import type { Bar, Order } from "../wire";
import { Panel } from "./bits";
import type { Colours } from "./charting";
import { colours, options, useTheme } from "./charting";

const MINUTE = 60;
/** A young chart is drawn as if minutes without a bar came before, so that its axis has times and bars have their usual width. */
const LEAST = 30;

interface Tip {
  x: number;
  y: number;
  bar: Bar;
  fills: FillRow[];
}

export function ChartPanel() {
  const holder = useRef<HTMLDivElement>(null);
  const instrument = useView(instrumentOf);
  const fit = useView((view) => trust(view));
  const empty = useView((view) => marketOf(view, view.instrument).bars.length === 0);
  const [tip, setTip] = useState<Tip | null>(null);
  const theme = useTheme();
  const number = instrument?.number ?? null;
  const symbol = instrument?.symbol ?? "";
  const tick = instrument?.tick ?? "0.01";
  useEffect(() => {
    if (holder.current === null || number === null) return;
    const drawing = new Drawing(holder.current, number, symbol, tick, setTip);
    return () => drawing.end();
  }, [number, symbol, tick, theme]);
  return (
    <Panel name="chart" title={`${instrument?.symbol ?? "Chart"} · 1 minute`} aside={<Legend />}>
      <div className={fit.ok ? "chart-box" : "chart-box old"}>
        <div ref={holder} className="chart-holder" role="img" />
        {empty && <p className="over">No bars yet: the first minute is being made.</p>}
        {!fit.ok && <p className="over bad"><strong>{fit.title}</strong><br />{fit.text}</p>}
        {tip && tip.fills.length > 0 && <TipBox tip={tip} />}
      </div>
    </Panel>
  );
}

function Legend() {
  const bar = useView((view) => marketOf(view, view.instrument).bars.at(-1) ?? null);
  const places = useView((view) => decimals(instrumentOf(view)?.tick ?? "0.01"));
  if (bar === null) return null;
  return (
    <span className="aside legend">
      O <b>{amount(bar.open, places)}</b> H <b>{amount(bar.high, places)}</b> L <b>{amount(bar.low, places)}</b> C <b>{amount(bar.close, places)}</b> V <b>{amount(bar.volume)}</b>
    </span>
  );
}

function TipBox({ tip }: { tip: Tip }) {
  const shown = tip.fills.slice(0, 6);
  return (
    <div className="tip" style={{ left: tip.x, top: tip.y }} role="tooltip">
      <b title={utc(tip.bar.open_s * 1000)}>{dateTime(tip.bar.open_s * 1000).slice(0, 16)}</b>
      {shown.map((fill) => (
        <p key={fill.fill}>
          <span className={fill.side === "buy" ? "up" : "down"}>{fill.side === "buy" ? "▲ Buy" : "▼ Sell"}</span> {amount(fill.quantity)} at {amount(fill.price)}
          <br /><span className="dim">{clock(msOf(fill.ts_ns))} · fee {amount(fill.fee)} {fill.fee_asset} · {sender(fill.bot, fill.who)}</span>
        </p>
      ))}
      {tip.fills.length > shown.length && <p className="dim">and {tip.fills.length - shown.length} more</p>}
    </div>
  );
}

/** A chart of one instrument until it is ended. */
class Drawing {
  private readonly paint: Colours = colours();
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volume: ISeriesApi<"Histogram">;
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private readonly leave: () => void;
  private lines = new Map<string, { line: IPriceLine; price: string }>();
  private bars: readonly Bar[] = [];
  private loaded = -1;
  private fills: readonly FillRow[] | null = null;
  private orders: readonly Order[] | null = null;
  private ours = new Map<number, FillRow[]>();

  constructor(private readonly holder: HTMLElement, private readonly instrument: number, private readonly symbol: string, tick: string, private readonly onTip: (tip: Tip | null) => void) {
    const { up, down } = this.paint;
    this.chart = createChart(holder, options(this.paint));
    const priceFormat = { type: "price", precision: decimals(tick), minMove: coordinate(tick) } as const;
    this.candles = this.chart.addSeries(CandlestickSeries, { upColor: up, downColor: down, borderVisible: false, wickUpColor: up, wickDownColor: down, priceFormat });
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.22 } });
    this.volume = this.chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceFormat: { type: "volume" }, lastValueVisible: false, priceLineVisible: false });
    this.volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.markers = createSeriesMarkers(this.candles, []);
    this.chart.subscribeCrosshairMove(this.point);
    this.leave = subscribe(() => this.draw(current()));
    this.draw(current());
  }

  end(): void {
    this.leave();
    this.onTip(null);
    this.chart.remove();
  }

  private draw(view: View): void {
    const market = marketOf(view, this.instrument);
    if (market.barsLoaded !== this.loaded || market.bars !== this.bars) this.drawBars(market.bars, market.barsLoaded);
    if (view.fills !== this.fills) this.drawFills(view.fills);
    const orders = view.state?.orders ?? [];
    if (orders !== this.orders) this.drawOrders(orders);
    this.describe();
  }

  /** For whom cannot see it; a canvas says nothing by itself. */
  private describe(): void {
    const fills = [...this.ours.values()].reduce((sum, ours) => sum + ours.length, 0);
    const label = `Chart of ${this.symbol}: ${count(this.bars.length, "bar")}, ${count(fills, "fill")} and ${count(this.lines.size, "open order")} of ours; the same facts are in the tables`;
    if (this.holder.getAttribute("aria-label") !== label) this.holder.setAttribute("aria-label", label);
  }

  private drawBars(bars: readonly Bar[], loaded: number): void {
    const last = this.bars.at(-1)?.open_s ?? 0;
    const whole = loaded !== this.loaded || this.bars.length === 0 || bars.length < this.bars.length;
    if (whole) {
      const first = bars[0]?.open_s ?? 0;
      const before = first === 0 ? 0 : Math.max(0, LEAST - bars.length);
      const empty = Array.from({ length: before }, (_, at) => ({ time: (first - (before - at) * MINUTE) as UTCTimestamp }));
      this.candles.setData([...empty, ...bars.map(candle)]);
      this.volume.setData(bars.map((bar) => this.column(bar)));
      const slots = before + bars.length;
      const shown = Math.min(100, slots);
      if (this.bars.length < LEAST) this.chart.timeScale().setVisibleLogicalRange({ from: slots - shown, to: slots + 0.09 * shown });
    } else {
      let at = bars.length;
      while (at > 0 && (bars[at - 1]?.open_s ?? 0) >= last) at -= 1;
      for (const bar of bars.slice(at)) {
        this.candles.update(candle(bar));
        this.volume.update(this.column(bar));
      }
    }
    const known = this.bars.length;
    this.bars = bars;
    this.loaded = loaded;
    if (whole || known !== bars.length) this.fills = null;
  }

  private column(bar: Bar): { time: UTCTimestamp; value: number; color: string } {
    const rising = coordinate(bar.close) >= coordinate(bar.open);
    return { time: bar.open_s as UTCTimestamp, value: coordinate(bar.volume), color: rising ? this.paint.volumeUp : this.paint.volumeDown };
  }

  /** One arrow a bar and side, however many fills it stands for. */
  private drawFills(fills: readonly FillRow[]): void {
    this.fills = fills;
    this.ours = new Map();
    const first = this.bars[0]?.open_s ?? Infinity;
    for (const fill of fills) {
      const s = Math.floor(msOf(fill.ts_ns) / 1000 / MINUTE) * MINUTE;
      if (fill.instrument === this.instrument && s >= first) this.ours.set(s, [...(this.ours.get(s) ?? []), fill]);
    }
    const arrows: SeriesMarker<Time>[] = [];
    const counted = this.ours.size <= 12;
    for (const [s, ours] of [...this.ours].sort((a, b) => a[0] - b[0])) {
      for (const side of ["buy", "sell"] as const) {
        const many = ours.filter((fill) => fill.side === side).length;
        if (many === 0) continue;
        const buys = side === "buy";
        arrows.push({ time: s as UTCTimestamp, position: buys ? "belowBar" : "aboveBar", shape: buys ? "arrowUp" : "arrowDown", color: buys ? this.paint.up : this.paint.down, text: counted && many > 1 ? String(many) : "" });
      }
    }
    this.markers.setMarkers(arrows);
  }

  private drawOrders(orders: readonly Order[]): void {
    this.orders = orders;
    const wanted = new Map(orders.filter((order) => order.instrument === this.instrument && (order.price ?? order.trigger_price)).slice(-30).map((order) => [order.id, order]));
    for (const [id, { line }] of this.lines) {
      if (wanted.has(id)) continue;
      this.candles.removePriceLine(line);
      this.lines.delete(id);
    }
    for (const [id, order] of wanted) {
      const price = (order.price ?? order.trigger_price) as string;
      if (this.lines.has(id)) continue;
      const line = this.candles.createPriceLine({
        price: coordinate(price), color: order.side === "buy" ? this.paint.up : this.paint.down, lineWidth: 1,
        lineStyle: order.price ? LineStyle.Dashed : LineStyle.Dotted, axisLabelVisible: wanted.size <= 6, title: wanted.size <= 6 ? `${order.side} ${order.quantity ?? ""}` : "",
      }); // prettier-ignore
      this.lines.set(id, { line, price });
    }
  }

  private readonly point = (move: MouseEventParams): void => {
    const s = Number(move.time ?? 0);
    const fills = this.ours.get(s);
    const bar = this.bars.find((one) => one.open_s === s);
    if (!move.point || !fills || !bar) return this.onTip(null);
    this.onTip({ x: Math.min(move.point.x + 14, Math.max(0, this.chart.paneSize().width - 230)), y: Math.min(move.point.y + 10, 180), bar, fills });
  };
}

function candle(bar: Bar): { time: UTCTimestamp; open: number; high: number; low: number; close: number } {
  return { time: bar.open_s as UTCTimestamp, open: coordinate(bar.open), high: coordinate(bar.high), low: coordinate(bar.low), close: coordinate(bar.close) };
}
