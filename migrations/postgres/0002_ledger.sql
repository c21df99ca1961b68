-- The ledger: append-only, a partition for each month. Its documents are JSON, as text.

create table operations (
    home text collate "C" not null,
    shard smallint not null,
    account text collate "C" not null,
    id uuid not null,
    sequence bigint not null,
    life integer not null,
    at timestamptz not null,
    kind text not null,
    key text collate "C",
    body_hash bytea not null,
    refers_to uuid,
    entries text not null,
    answer text not null,
    origin text,
    constraint operations_sequence_check check (sequence > 0),
    constraint operations_body_hash_check check (octet_length(body_hash) = 32)
) partition by range (at);

-- What each partition is looked up by: a key; the place in a home's history, with which an id ends; the refunds of an
-- operation; for jobs, the time, which lies in the table as it goes by.
create function operations_add_indexes(partition text) returns void
language plpgsql as $$
begin
    execute format('create unique index %I on %I (home, life, sequence, shard)', partition || '_sequence', partition);
    execute format('create index %I on %I (home, refers_to) where kind = ''refund''',
                   partition || '_refund', partition);
    execute format('create index %I on %I using brin (at) with (pages_per_range = 64, autosummarize = on)',
                   partition || '_at', partition);
    -- The last one made is taken where an empty partition gives no reason for another.
    execute format('create unique index %I on %I (home, account, key, shard) where key is not null',
                   partition || '_key', partition);
end
$$;

-- Gives an empty partition the statistics that it will have: few homes, many accounts, each key once. Without any, a
-- plan that is made in its first minute may look for a key through all operations of a home. Where the partition is
-- distributed, each of its shards gets some.
create function operations_add_statistics(partition text, moment timestamptz) returns void
language plpgsql as $$
begin
    execute format(
        'insert into %I (home, shard, account, id, sequence, life, at, kind, key, body_hash, entries, answer)
         select ''org:'' || mod(n, 10), mod(n, 64), ''user:'' || n, gen_random_uuid(), n, 1, $1, ''consume'',
             ''key-'' || n, decode(repeat(''00'', 32), ''hex''), ''[]'', ''{}''
         from generate_series(1, 1000) as n',
        partition) using moment;
    execute format('analyze %I', partition);
    execute format('truncate %I', partition);
end
$$;

create table operations_default (like operations including defaults including constraints);
select operations_add_statistics('operations_default', now());
select operations_add_indexes('operations_default');
alter table operations attach partition operations_default default;

-- Makes the partition of the month (UTC) that holds `moment`, unless it is there; rows that had to wait in the
-- default partition move into it. Runs with its owner's rights: the application may not move operations itself.
create function operations_make_month(moment timestamptz) returns boolean
language plpgsql security definer set search_path from current as $$
declare
    starts_at timestamptz := date_trunc('month', moment, 'UTC');
    ends_at timestamptz := (date_trunc('month', moment at time zone 'UTC') + interval '1 month') at time zone 'UTC';
    partition text := 'operations_' || to_char(moment at time zone 'UTC', '"y"YYYY"m"MM');
begin
    perform pg_advisory_xact_lock(4117219051);
    if to_regclass(quote_ident(partition)) is not null then
        return false;
    end if;
    -- What waits leaves first, and comes back when the statistics are there: a partition that is distributed becomes so
    -- when it is attached.
    lock table operations_default in access exclusive mode;
    create temporary table operations_waiting (like operations);
    with moved as (
        delete from operations_default where at >= starts_at and at < ends_at
        returning home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    insert into operations_waiting
        (home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    select home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin
    from moved;
    execute format('create table %I (like operations including defaults including constraints)', partition);
    perform operations_add_indexes(partition);
    execute format('alter table operations attach partition %I for values from (%L) to (%L)',
                   partition, starts_at, ends_at);
    perform operations_add_statistics(partition, starts_at);
    insert into operations
        (home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    select home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin
    from operations_waiting;
    drop table operations_waiting;
    return true;
end
$$;
