// The accounts beside the desk's own, apart from its numbers: three fill models and their spread, and the ghost.
import { useView } from "../desk";
import { bandOf, ghostOf } from "../beside";
import type { Account } from "../wire";
import { Change, Figure } from "./bits";

export function useAccounts(): readonly Account[] {
  return useView((view) => view.pulse?.accounts ?? view.desk?.accounts) ?? [];
}

export function Beside({ reporting }: { reporting: string }) {
  const accounts = useAccounts();
  const band = bandOf(accounts);
  const ghost = ghostOf(accounts);
  if (band === null && ghost === null) return null;
  return (
    <div className="beside">
      {band && (
        <section aria-label="Fill models">
          <h3>Same strategy, three fill models</h3>
          <dl className="models">
            {band.accounts.map((one) => (
              <div key={one.account} className={one.role === "main" ? "own" : undefined}>
                <dt>{one.fill_model}</dt>
                <dd><Figure value={one.equity} unit={reporting} /></dd>
              </div>
            ))}
            <div><dt>spread</dt><dd><Figure value={band.spread} unit={reporting} /></dd></div>
          </dl>
        </section>
      )}
      {ghost && (
        <section className="ghost" aria-label="Ghost">
          <p><b>GHOST</b> <span className="dim">the same bots without limits</span></p>
          <dl className="models">
            <div><dt>its equity</dt><dd><Figure value={ghost.account.equity} unit={reporting} /></dd></div>
            <div><dt>{ghost.saved?.startsWith("-") ? "limits cost" : "limits saved"}</dt><dd><Change value={ghost.saved} unit={reporting} /></dd></div>
          </dl>
        </section>
      )}
    </div>
  );
}

/** Said where orders are sent: they go to the other accounts too. */
export function SameOrders() {
  const count = useAccounts().length;
  if (count < 2) return null;
  return <p className="hint same-orders">Goes to all {count} accounts: same orders.</p>;
}
