-- What is kept of a payment provider: the account there that is ours, which of its customers is which account, what it
-- told, and what fits nothing.
create table provider_connections (
    provider text not null,
    mode text not null,
    account text not null,
    money_starts_at integer not null,
    progress text not null,
    constraint provider_connections_key primary key (provider, mode)
) strict, without rowid;

create table provider_links (
    provider text not null,
    mode text not null,
    customer text not null,
    account text not null,
    linked_at integer not null,
    synced_at integer,
    constraint provider_links_key primary key (provider, mode, customer)
) strict, without rowid;

create index provider_links_by_account on provider_links (account, provider, mode, customer);

-- What an event is about is JSON.
create table provider_events (
    provider text not null,
    mode text not null,
    event text not null,
    kind text not null,
    about text,
    customer text,
    made_at integer not null,
    received_at integer not null,
    state text not null,
    tries integer not null,
    next_try_at integer not null,
    error text,
    constraint provider_events_key primary key (provider, mode, event),
    constraint provider_events_tries_count check (tries >= 0)
) strict;

create index provider_events_by_received on provider_events (provider, received_at, mode, event);
-- What waits, what is counted and what is removed are found by state; of those that wait, the ones whose time has not come
-- are passed over inside the index.
create index provider_events_by_state on provider_events (state, received_at, provider, mode, event, next_try_at);

-- Evidence is JSON.
create table billing_problems (
    provider text not null,
    mode text not null,
    kind text not null,
    about text not null,
    account text,
    detail text not null,
    evidence text not null,
    times integer not null,
    first_seen_at integer not null,
    last_seen_at integer not null,
    settled_at integer,
    settled_by text,
    settled_note text,
    constraint billing_problems_key primary key (provider, mode, about, kind),
    constraint billing_problems_times_count check (times > 0),
    constraint billing_problems_settled_whole check ((settled_at is null) = (settled_by is null))
) strict;

create index billing_problems_by_seen on billing_problems (provider, last_seen_at, mode, kind, about);
create index billing_problems_open on billing_problems (provider, last_seen_at, mode, kind, about)
    where settled_at is null;
create index billing_problems_by_account on billing_problems (account, provider, last_seen_at, mode, kind, about)
    where account is not null;
