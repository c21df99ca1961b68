-- Events, written with the change that they tell of. An event's number counts within its account; its place orders the
-- queue of its shard, a hash of the home. The place is given after the commit, by one transaction at a time for each
-- shard: what is read up to a place is all that will ever lie before it.

create table outbox (
    shard smallint not null,
    account text collate "C" not null,
    number bigint not null,
    place bigint,
    home text collate "C" not null,
    id uuid not null,
    sequence bigint not null,
    at timestamptz not null,
    kind jsonb not null,
    constraint outbox_pkey primary key (shard, account, number),
    constraint outbox_number_check check (number > 0)
);

create index outbox_place_key on outbox (shard, place) where place is not null;
create index outbox_fresh_key on outbox (shard, account, number) where place is null;

-- The last place that was given in each shard. Giving the next ones takes the lock on its row.
create table outbox_places (
    shard smallint not null,
    last_place bigint not null default 0,
    constraint outbox_places_pkey primary key (shard)
);

insert into outbox_places (shard) select generate_series(0, 63);

-- How far each consumer has come in each shard.
create table event_cursors (
    consumer text collate "C" not null,
    shard smallint not null,
    place bigint not null default 0,
    constraint event_cursors_pkey primary key (consumer, shard)
);
