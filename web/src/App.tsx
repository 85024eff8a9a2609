// The page: banner, top line, what is wrong, and the panels; the desk's health at the foot.
import { useState } from "react";
import { useView } from "./desk";
import { AccountPanel } from "./parts/Account";
import { Alerts, Banner } from "./parts/Banner";
import { BookPanel, TradesPanel } from "./parts/Book";
import { BotsPanel } from "./parts/Bots";
import { ChartPanel } from "./parts/Chart";
import { EventsPanel } from "./parts/Events";
import { HealthLine } from "./parts/Health";
import { StoryDialog } from "./parts/Story";
import { TablesPanel } from "./parts/Tables";
import { TicketPanel } from "./parts/Ticket";
import { Top } from "./parts/Top";

export function App() {
  const phase = useView((view) => view.connection.phase);
  const known = useView((view) => view.desk !== null);
  const [story, setStory] = useState<string | null>(null);
  const [picked, setPicked] = useState<{ price: string; at: number } | null>(null);
  return (
    <>
      <a className="skip" href="#main">Skip to the desk</a>
      <div className="head">
        <Banner />
        <Alerts />
      </div>
      <Top />
      <main id="main" tabIndex={-1} className={phase === "live" ? "desk" : "desk old"}>
        {known ? (
          <>
            <ChartPanel />
            <BookPanel onPick={(price) => setPicked({ price, at: Date.now() })} />
            <TradesPanel />
            <div className="side">
              <TicketPanel picked={picked} onStory={setStory} />
              <AccountPanel />
            </div>
            <TablesPanel onStory={setStory} />
            <EventsPanel onStory={setStory} />
            <BotsPanel />
          </>
        ) : (
          <p className="waiting" role="status">Waiting for the desk …</p>
        )}
      </main>
      <HealthLine />
      <StoryDialog order={story} onClose={() => setStory(null)} />
    </>
  );
}
