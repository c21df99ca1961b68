-- What is kept of a payment provider: the account there that is ours, which of its customers is which account, what it
-- told, and what fits nothing.

create table provider_connections (
    provider text collate "C" not null,
    mode text collate "C" not null,
    account text not null,
    money_starts_at timestamptz not null,
    progress text not null,
    constraint provider_connections_pkey primary key (provider, mode)
);

-- A link lies twice: by its customer, in the shard that the program computes from provider, mode and customer, where the
-- first one is one guarded insert; and by its account, in the shard of that.
create table provider_links (
    provider text collate "C" not null,
    mode text collate "C" not null,
    customer text collate "C" not null,
    shard smallint not null,
    account text collate "C" not null,
    linked_at timestamptz not null,
    synced_at timestamptz,
    constraint provider_links_pkey primary key (provider, mode, customer, shard),
    constraint provider_links_shard_check check (shard >= 0 and shard < 64)
);

create table account_customers (
    account text collate "C" not null,
    shard smallint not null,
    provider text collate "C" not null,
    mode text collate "C" not null,
    customer text collate "C" not null,
    linked_at timestamptz not null,
    constraint account_customers_pkey primary key (account, provider, mode, customer, shard),
    constraint account_customers_shard_check check (shard >= 0 and shard < 64)
);

-- What an event is about is JSON, kept as the text that it was written as.
create table provider_events (
    provider text collate "C" not null,
    mode text collate "C" not null,
    event text collate "C" not null,
    shard smallint not null,
    kind text not null,
    about text,
    customer text,
    made_at timestamptz not null,
    received_at timestamptz not null,
    state text collate "C" not null,
    tries bigint not null,
    next_try_at timestamptz not null,
    error text,
    constraint provider_events_pkey primary key (provider, mode, event, shard),
    constraint provider_events_shard_check check (shard >= 0 and shard < 64),
    constraint provider_events_tries_check check (tries >= 0)
);

create index provider_events_received_key on provider_events (provider, received_at, mode, event);
-- What waits, what is counted and what is removed are found by state; of those that wait, the ones whose time has not come
-- are passed over inside the index.
create index provider_events_state_key on provider_events (state, received_at, provider, mode, event, next_try_at);

-- Evidence is JSON, kept as text.
create table billing_problems (
    provider text collate "C" not null,
    mode text collate "C" not null,
    kind text collate "C" not null,
    about text collate "C" not null,
    shard smallint not null,
    account text collate "C",
    detail text not null,
    evidence text not null,
    times bigint not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    settled_at timestamptz,
    settled_by text,
    settled_note text,
    constraint billing_problems_pkey primary key (provider, mode, about, kind, shard),
    constraint billing_problems_shard_check check (shard >= 0 and shard < 64),
    constraint billing_problems_times_check check (times > 0),
    constraint billing_problems_settled_check check ((settled_at is null) = (settled_by is null))
);

create index billing_problems_seen_key on billing_problems (provider, last_seen_at, mode, kind, about);
create index billing_problems_open_key on billing_problems (provider, last_seen_at, mode, kind, about)
    where settled_at is null;
create index billing_problems_account_key on billing_problems (account, provider, last_seen_at, mode, kind, about)
    where account is not null;
