//! `write`: one autocommitted statement. The first part decides which homes pass; everything else is written for
//! those, and they are returned.
//!
//! The homes that passed become one map, made once, that each row is looked up in; written as a join, each row would
//! be compared with each home.

/// Which homes pass: still at their version (or not there, where that is 0), under the catalog and the lease that
/// were decided with, and without an operation that carries one of the keys that were not looked for.
///
/// A home's own account is written together with its version: no row may be written twice in one statement. A new
/// user enters the directory first, so that it cannot come to be in two homes.
macro_rules! passed {
    () => {
        "with fresh as materialized (
    select h.home, h.expected_version, h.new_version, h.hold_before, h.terms::json, h.books::json, h.due_at
    from unnest($1::text[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[],
            $7::timestamptz[])
        as h (home, expected_version, new_version, hold_before, terms, books, due_at)
    where $8::bigint = coalesce((select max(c.version) from catalogs c), 0)
        and ($9::text is null or exists (
            select 1 from leases l where l.name = $9 and l.owner = $10::text and l.epoch = $11::bigint))
        and h.home not in (
            select o.home
            from unnest($12::text[], $13::text[], $14::text[]) as k (home, account, key)
            cross join lateral (
                select o.home from operations o
                where o.home = k.home and o.account = k.account and o.key = k.key
                    and o.at >= ($15::timestamptz[])[1] and o.at < ($15::timestamptz[])[2] offset 0
            ) o)
), moved as (
    update accounts a
    set version = f.new_version, hold_before = f.hold_before,
        terms = coalesce(f.terms, a.terms), books = coalesce(f.books, a.books),
        due_at = case when f.books is null then a.due_at else f.due_at end
    from fresh f
    where a.home = f.home and a.account = f.home and a.version = f.expected_version and f.expected_version > 0
    returning a.home, a.life
), entered as (
    insert into directory (account, home)
    select f.home, f.home from fresh f where f.expected_version = 0 and f.home like 'user:%'
    on conflict (account) do nothing
    returning home
), made as (
    insert into accounts (home, account, version, hold_before, due_at, life, terms, books)
    select f.home, f.home, f.new_version, f.hold_before, f.due_at,
        coalesce((select d.life from directory d where d.account = f.home), 1), f.terms, f.books
    from fresh f
    where f.expected_version = 0 and (
        f.home not like 'user:%'
        or f.home in (select e.home from entered e)
        or exists (select 1 from directory d where d.account = f.home and d.home = f.home))
    on conflict (home, account) do nothing
    returning home, life
), passed as materialized (
    select coalesce(jsonb_object_agg(p.home, p.life), '{}') as lives
    from (select m.home, m.life from moved m union all select m.home, m.life from made m) p
)"
    };
}

/// What nearly every batch writes: the operations, and the accounts that are not their home's own.
macro_rules! booked {
    () => {
        ", booked as (
    insert into operations
        (home, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    select o.home, o.account, o.id, o.sequence, ((select p.lives from passed p) ->> o.home)::integer, o.at, o.kind,
        o.key, o.body_hash, o.refers_to, o.entries::json, o.answer::json, o.origin::json
    from unnest($16::text[], $17::text[], $18::uuid[], $19::bigint[], $20::timestamptz[], $21::text[],
            $22::text[], $23::bytea[], $24::uuid[], $25::text[], $26::text[], $27::text[])
        as o (home, account, id, sequence, at, kind, key, body_hash, refers_to, entries, answer, origin)
    where (select p.lives from passed p) ? o.home
), member as materialized (
    select m.home, m.account, m.due_at, m.terms, m.books
    from unnest($28::text[], $29::text[], $30::timestamptz[], $31::text[], $32::text[])
        as m (home, account, due_at, terms, books)
    where (select p.lives from passed p) ? m.home
), joined as (
    insert into accounts (home, account, version, due_at, terms, books)
    select m.home, m.account, 0, m.due_at, m.terms::json, m.books::json
    from member m where m.terms is not null
    on conflict (home, account) do update
    set due_at = excluded.due_at, terms = excluded.terms, books = excluded.books
), charged as (
    update accounts a set due_at = m.due_at, books = m.books::json
    from member m where m.terms is null and a.home = m.home and a.account = m.account
)"
    };
}

/// Writes a batch that has neither reservations nor events nor closed balances.
///
/// Parameters: of each home its id, expected and new version, first deadline, and terms, books and due instant of
/// its own account (null where that did not change); catalog version; name, owner and epoch of the lease; homes,
/// accounts and keys that were not looked for, and since when keys count; the columns of the operations; the columns
/// of the other accounts.
pub const WRITE_PLAIN: &str = concat!(
    passed!(),
    booked!(),
    " select jsonb_object_keys(p.lives) as home from passed p"
);

/// Writes a batch with everything that it can have.
///
/// Parameters: those of [`WRITE_PLAIN`]; the columns of the reservations, of the events and of the closed balances.
pub const WRITE: &str = concat!(
    passed!(),
    booked!(),
    ", held as (
    insert into reservations (home, id, account, expires_at, state, ended_by, late_commit, document)
    select r.home, r.id, r.account, r.expires_at, r.state, r.ended_by, r.late_commit, r.document::json
    from unnest($33::text[], $34::uuid[], $35::text[], $36::timestamptz[], $37::text[], $38::uuid[], $39::uuid[],
            $40::text[])
        as r (home, id, account, expires_at, state, ended_by, late_commit, document)
    where (select p.lives from passed p) ? r.home
    on conflict (home, id) do update
    set expires_at = excluded.expires_at, state = excluded.state, ended_by = excluded.ended_by,
        late_commit = excluded.late_commit, document = excluded.document
), told as (
    insert into outbox (shard, id, home, account, sequence, at, kind)
    select e.shard, e.id, e.home, e.account, e.sequence, e.at, e.kind::jsonb
    from unnest($41::smallint[], $42::uuid[], $43::text[], $44::text[], $45::bigint[], $46::timestamptz[],
            $47::text[])
        as e (shard, id, home, account, sequence, at, kind)
    where (select p.lives from passed p) ? e.home
), closed as (
    insert into closed_balances (home, account, bucket, balance)
    select c.home, c.account, c.bucket, c.balance::json
    from unnest($48::text[], $49::text[], $50::text[], $51::text[])
        as c (home, account, bucket, balance)
    where (select p.lives from passed p) ? c.home
    on conflict (home, account, bucket) do update set balance = excluded.balance
) select jsonb_object_keys(p.lives) as home from passed p"
);
