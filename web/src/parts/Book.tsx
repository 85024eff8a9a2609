// The book, twenty levels a side with bars for how much stands there up to a level, and the latest trades.
import { memo } from "react";
import * as dec from "../decimal";
import { useView } from "../desk";
import { amount, decimals, share } from "../format";
import { instrumentOf, marketOf, trust } from "../model";
import { Panel, When } from "./bits";

type Level = readonly [string, string];
const LEVELS = 20;

export function BookPanel({ onPick }: { onPick: (price: string) => void }) {
  const book = useView((view) => marketOf(view, view.instrument).book);
  const instrument = useView(instrumentOf);
  const fit = useView((view) => trust(view).ok);
  const places = decimals(instrument?.tick ?? "0.01");
  const lots = decimals(instrument?.lot ?? "0.00001");
  const bid = book?.bids[0];
  const ask = book?.asks[0];
  const spread = bid && ask ? dec.subtract(dec.exact(ask[0]), dec.exact(bid[0])) : null;
  const part = spread && ask ? dec.percent(spread, dec.exact(ask[0]), 4) : null;
  const most = Math.max(depth(book?.bids), depth(book?.asks));
  return (
    <Panel name="book" title="Book" aside={<span className="aside">{fit ? spread && `spread ${amount(dec.text(spread), places)}${part ? ` · ${dec.text(part)} %` : ""}` : <b className="down">not current</b>}</span>}>
      <div className={fit ? "sides" : "sides old"}>
        <Side name="Bids" side="bid" levels={book?.bids ?? []} most={most} places={places} lots={lots} onPick={onPick} />
        <Side name="Asks" side="ask" levels={book?.asks ?? []} most={most} places={places} lots={lots} onPick={onPick} />
      </div>
    </Panel>
  );
}

function depth(levels: readonly Level[] | undefined): number {
  return (levels ?? []).slice(0, LEVELS).reduce((sum, level) => sum + dec.coordinate(level[1]), 0);
}

interface SideProps {
  name: string;
  side: "bid" | "ask";
  levels: readonly Level[];
  most: number;
  places: number;
  lots: number;
  onPick: (price: string) => void;
}

const Side = memo(function Side({ name, side, levels, most, places, lots, onPick }: SideProps) {
  let sum = 0;
  return (
    <table className={`levels ${side}`} aria-label={name}>
      <thead><tr>{side === "bid" ? <><th scope="col">Quantity</th><th scope="col">Bid</th></> : <><th scope="col">Ask</th><th scope="col">Quantity</th></>}</tr></thead>
      <tbody>
        {levels.slice(0, LEVELS).map(([price, quantity]) => {
          sum += dec.coordinate(quantity);
          const width = `${share(String(sum), most).toFixed(1)}%`;
          const priceCell = <td key="p" className="price">{amount(price, places)}</td>;
          const quantityCell = <td key="q">{amount(quantity, lots)}</td>;
          return (
            <tr key={price} style={{ "--depth": width } as React.CSSProperties} onClick={() => onPick(price)} title={`Use ${price} in the ticket`}>
              {side === "bid" ? [quantityCell, priceCell] : [priceCell, quantityCell]}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
});

export function TradesPanel() {
  const trades = useView((view) => marketOf(view, view.instrument).trades);
  const instrument = useView(instrumentOf);
  const places = decimals(instrument?.tick ?? "0.01");
  const lots = decimals(instrument?.lot ?? "0.00001");
  return (
    <Panel name="trades" title="Trades" aside={<span className="aside">public prints, newest first</span>}>
      <div className="scroll" tabIndex={0} role="region" aria-label="Latest trades">
        <table className="tape">
          <thead><tr><th scope="col">Time</th><th scope="col">Price {instrument?.quote}</th><th scope="col">Quantity {instrument?.base}</th></tr></thead>
          <tbody>
            {trades.map((trade, at) => (
              <tr key={`${trade.ts_ns}-${trades.length - at}`}>
                <td><When ns={trade.ts_ns} /></td>
                <td className={trade.side === "sell" ? "down" : trade.side === "buy" ? "up" : ""}>
                  <span className="sr">{trade.side ?? ""} </span>{trade.side === "sell" ? "▼ " : trade.side === "buy" ? "▲ " : ""}{amount(trade.price, places)}
                </td>
                <td>{amount(trade.quantity, lots)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
