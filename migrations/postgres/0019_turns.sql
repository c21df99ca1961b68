-- only: postgres
-- Turns that several processes share, so that all of them together stay below the bound of somebody whom they call: the instants of
-- the last ones, in microseconds since 1970. The file can be repeated at will, as its grant is after every migration.

create table if not exists call_turns (
    bucket text collate "C" not null,
    turns bigint[] not null,
    constraint call_turns_pkey primary key (bucket)
) with (fillfactor = 50);

grant select, insert, update on call_turns to quota_app;
