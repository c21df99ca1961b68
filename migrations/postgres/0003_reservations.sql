-- Holds. The columns beside the document are those that are looked for.

create table reservations (
    home text collate "C" not null,
    shard smallint not null,
    id uuid not null,
    account text collate "C" not null,
    expires_at timestamptz not null,
    state text not null,
    ended_by uuid,
    late_commit uuid,
    document text not null,
    constraint reservations_pkey primary key (home, id, shard)
) with (fillfactor = 80);

create index reservations_open_key on reservations (home, expires_at) where state = 'open';
-- For the job that looks at all homes, which asks for `home > ''` too: no plan may take this one where the home is known.
create index reservations_due_key on reservations (expires_at, home) where state = 'open' and home > '';
