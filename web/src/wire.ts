// The api's shapes by their own names; api.d.ts is generated from openapi.json (`npm run types`).
import type { components } from "./api";

type Shapes = components["schemas"];
export type Account = Shapes["Account"];
export type Balance = Shapes["Balance"];
export type Bar = Shapes["Bar"];
export type Bars = Shapes["Bars"];
export type Book = Shapes["Book"];
export type Bot = Shapes["Bot"];
export type BotBook = Shapes["BotBook"];
export type CommandAnswer = Shapes["CommandAnswer"];
export type Desk = Shapes["Desk"];
export type DeskEvent = Shapes["Event"];
export type Equity = Shapes["Equity"];
export type Events = Shapes["Events"];
export type Fill = Shapes["Fill"];
export type Fills = Shapes["Fills"];
export type Instrument = Shapes["Instrument"];
export type NewOrder = Shapes["NewOrder"];
export type Order = Shapes["Order"];
export type Orders = Shapes["Orders"];
export type OrderStory = Shapes["OrderStory"];
export type SignalStory = Shapes["SignalStory"];
export type Position = Shapes["Position"];
export type Problem = Shapes["Problem"];
export type Process = Shapes["Process"];
export type Pulse = Shapes["PulseSaid"];
export type Receipt = Shapes["Receipt"];
export type Refusal = Shapes["Refusal"];
export type State = Shapes["State"];
export type Trade = Shapes["Trade"];
export type StreamMessage =
  | Shapes["Hello"]
  | Shapes["EventSaid"]
  | Shapes["Reset"]
  | Shapes["StateSaid"]
  | Shapes["MarketSaid"]
  | Shapes["PulseSaid"];
