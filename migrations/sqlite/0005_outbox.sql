-- Events, written with the change that they tell of, until they are published and pruned.
create table outbox (
    number integer primary key autoincrement,
    id blob not null,
    home text not null,
    account text not null,
    sequence integer not null,
    at integer not null,
    kind text not null,
    published_at integer
) strict;

create index outbox_by_id on outbox (id);
create index outbox_pending on outbox (number) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;
