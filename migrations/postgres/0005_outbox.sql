-- Events that were committed with what they tell of. The shard is a hash of the home.

create table outbox (
    shard smallint not null,
    number bigint generated always as identity,
    id uuid not null,
    home text collate "C" not null,
    account text collate "C" not null,
    sequence bigint not null,
    at timestamptz not null,
    kind jsonb not null,
    published_at timestamptz,
    constraint outbox_pkey primary key (shard, number)
);

create index outbox_pending_key on outbox (at, number) where published_at is null;
