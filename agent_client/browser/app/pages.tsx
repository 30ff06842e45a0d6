import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PageName, PageProps } from "./router";
import { Failure, Skeleton } from "./states";

type Page = ComponentType<PageProps>;

const loaders: Readonly<Record<PageName, () => Promise<Page>>> = {
  waiting: async () => (await import("../console/waiting")).WaitingPage,
  my_tickets: async () => (await import("../console/tickets")).MyTicketsPage,
  tickets: async () => (await import("../console/tickets")).TicketsPage,
  ticket: async () => (await import("../console/ticket")).TicketPage,
  session: async () => (await import("../live/live")).LivePage,
  library: async () => (await import("../library/pages")).LibraryPage,
  recording: async () => (await import("../library/pages")).PlayerPage,
  articles: async () => (await import("../library/pages")).ArticlesPage,
  users: async () => (await import("../administration/pages")).UsersPage,
  retention: async () => (await import("../administration/pages")).RetentionPage,
  audit: async () => (await import("../administration/pages")).AuditPage,
};

const loaded = new Map<PageName, Page>();

/** A page, whose code comes when it is first wanted. */
export function LoadedPage({ name, params }: PageProps & { name: PageName }) {
  const [error, setError] = useState<unknown>(null);
  const [, setReady] = useState<PageName | null>(null);
  const Ready = loaded.get(name);
  useEffect(() => {
    if (loaded.has(name)) return undefined;
    let current = true;
    setError(null);
    loaders[name]().then(
      (page) => {
        loaded.set(name, page);
        if (current) setReady(name);
      },
      (reason: unknown) => current && setError(reason),
    );
    return () => {
      current = false;
    };
  }, [name]);
  if (Ready !== undefined) return <Ready params={params} />;
  // The server may have newer pages than this one, whose parts are no longer there: only a new load finds them.
  if (error !== null) return <Failure error={error} retry={() => window.location.reload()} />;
  return (
    <div class="page">
      <Skeleton />
    </div>
  );
}
