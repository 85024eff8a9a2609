// The band as the chart draws it: the area between the lowest and the highest equity, with thin edges.
import type { CustomData, CustomSeriesOptions, CustomSeriesPricePlotValues, ICustomSeriesPaneRenderer, ICustomSeriesPaneView, PaneRendererCustomData, PriceToCoordinateConverter, Time } from "lightweight-charts";
import { customSeriesDefaultOptions } from "lightweight-charts";

export interface BandData extends CustomData<Time> {
  low: number;
  high: number;
}

export interface BandOptions extends CustomSeriesOptions {
  fill: string;
  edge: string;
}

type Target = Parameters<ICustomSeriesPaneRenderer["draw"]>[0];

export class BandView implements ICustomSeriesPaneView<Time, BandData, BandOptions>, ICustomSeriesPaneRenderer {
  private data: PaneRendererCustomData<Time, BandData> | null = null;
  private options: BandOptions | null = null;

  constructor(private readonly paint: { fill: string; edge: string }) {}

  renderer(): ICustomSeriesPaneRenderer {
    return this;
  }

  update(data: PaneRendererCustomData<Time, BandData>, options: BandOptions): void {
    this.data = data;
    this.options = options;
  }

  priceValueBuilder({ low, high }: BandData): CustomSeriesPricePlotValues {
    return [low, high, high];
  }

  isWhitespace(row: Partial<BandData>): row is never {
    return row.low === undefined;
  }

  defaultOptions(): BandOptions {
    return { ...customSeriesDefaultOptions, ...this.paint };
  }

  draw(target: Target, toY: PriceToCoordinateConverter): void {
    const { data, options } = this;
    if (data === null || options === null || data.visibleRange === null) return;
    const { from, to } = data.visibleRange;
    target.useMediaCoordinateSpace(({ context }) => {
      const high: [number, number][] = [];
      const low: [number, number][] = [];
      for (const bar of data.bars.slice(Math.max(0, from - 1), to + 1)) {
        const [top, bottom] = [toY(bar.originalData.high), toY(bar.originalData.low)];
        if (top === null || bottom === null) continue;
        high.push([bar.x, top]);
        low.push([bar.x, bottom]);
      }
      if (high.length < 2) return;
      context.fillStyle = options.fill;
      context.beginPath();
      for (const [x, y] of [...high, ...low.toReversed()]) context.lineTo(x, y);
      context.closePath();
      context.fill();
      context.strokeStyle = options.edge;
      context.lineWidth = 1;
      for (const edge of [high, low]) {
        context.beginPath();
        for (const [x, y] of edge) context.lineTo(x, y);
        context.stroke();
      }
    });
  }
}
