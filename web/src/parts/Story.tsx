// An order's life in sentences, or what became of a signal.
import { useEffect, useState } from "react";
import { read } from "../command";
import { API } from "../desk";
import { count } from "../format";
import type { OrderStory, SignalStory } from "../wire";
import { Modal } from "./bits";

/** The database may be a moment behind the stream: an order that was just sent is asked for again. */
const TRIES = 5;
const AGAIN_MS = 400;

type Told = OrderStory | SignalStory;

export function StoryDialog({ order, onClose }: { order: string | null; onClose: () => void }) {
  const [story, setStory] = useState<Told | null>(null);
  const [trouble, setTrouble] = useState("");
  const [again, setAgain] = useState(0);
  useEffect(() => {
    let mine = true;
    setStory(null);
    setTrouble("");
    const kind = order?.startsWith("SIGNAL-") ? "signals" : "orders";
    const ask = (tries: number): void => {
      read<Told>(`${API}/${kind}/${encodeURIComponent(order ?? "")}`).then(
        (told) => mine && setStory(told),
        (error: unknown) => {
          if (!mine) return;
          if (tries > 1) window.setTimeout(ask, AGAIN_MS, tries - 1);
          else setTrouble(error instanceof Error ? error.message : String(error));
        },
      );
    };
    if (order !== null) ask(TRIES);
    return () => {
      mine = false;
    };
  }, [order, again]);
  return (
    <Modal open={order !== null} title={order?.startsWith("SIGNAL-") ? `What became of ${order}` : `The life of ${order ?? ""}`} onClose={onClose} wide>
      {trouble && <p className="refusal" role="alert">{trouble}</p>}
      {!story && !trouble && <p className="dim">It is being read …</p>}
      {story && <ol className="story">{story.story.map((sentence, at) => <li key={at}>{sentence}</li>)}</ol>}
      <div className="row end">
        {story && <span className="dim">{"fills" in story && `${count(story.fills.length, "fill")}; `}times in UTC</span>}
        <button type="button" onClick={() => setAgain(again + 1)}>Read again</button>
        <button type="button" onClick={onClose}>Close</button>
      </div>
    </Modal>
  );
}
