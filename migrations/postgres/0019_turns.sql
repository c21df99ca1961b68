-- only: postgres
-- Turns that several processes share, so that all of them together stay below the bound of somebody whom they call: the instants of
-- the last ones, in microseconds since 1970.

create table call_turns (
    bucket text collate "C" not null,
    turns bigint[] not null,
    constraint call_turns_pkey primary key (bucket)
) with (fillfactor = 50);
