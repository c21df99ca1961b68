-- Events, written with the change that they tell of. There is one writer, so places are given in the order of the commits.
create table outbox (
    place integer primary key autoincrement,
    id blob not null,
    home text not null,
    account text not null,
    number integer not null,
    sequence integer not null,
    at integer not null,
    kind text not null,
    constraint outbox_number_counts check (number > 0)
) strict;

create unique index outbox_by_number on outbox (account, number);

-- How far each consumer has come.
create table event_cursors (
    consumer text not null,
    place integer not null default 0,
    constraint event_cursors_key primary key (consumer)
) strict, without rowid;
