//! `write`: one autocommitted statement. The first part decides which homes pass; everything else is written for
//! those, and they are returned.
//!
//! A home is known by its place in the batch, from 1 on; each row says to which it belongs. Where every home passed,
//! which is nearly always, nothing is looked up; written as a join, each row would be compared with each home.
//! Columns are unpacked side by side (`select unnest(…), unnest(…)`): a function in `from` would first be stored whole.

use std::sync::LazyLock;

use super::Forms;

/// Which homes pass: still at their version (or not there, where that is 0), under the catalog and the lease that
/// were decided with, and without an operation that carries one of the keys that were not looked for.
///
/// A home's own account is written together with its version: no row may be written twice in one statement.
macro_rules! moved {
    () => {
        "with fresh as (
    select h.place, h.home, h.shard, h.expected_version, h.new_version, h.hold_before, h.terms, h.books, h.due_at
    from (
        select unnest($1::integer[]) as place, unnest($2::text[]) as home, unnest($3::smallint[]) as shard,
            unnest($4::bigint[]) as expected_version, unnest($5::bigint[]) as new_version, 
            unnest($6::timestamptz[]) as hold_before, unnest($7::text[]) as terms, unnest($8::text[]) as books,
            unnest($9::timestamptz[]) as due_at offset 0
    ) h
    where $10::bigint = coalesce((select max(c.version) from catalogs c), 0)
        and ($11::text is null or exists (
            select 1 from leases l where l.name = $11 and l.owner = $12::text and l.epoch = $13::bigint))
        and h.place not in (
            select k.place
            from (
                select unnest($14::integer[]) as place, unnest($15::text[]) as home, unnest($16::text[]) as account,
                    unnest($17::text[]) as key offset 0
            ) k
            cross join lateral (
                select from operations o
                where o.home = k.home and o.shard = $shard and o.account = k.account and o.key = k.key
                    and o.at >= ($18::timestamptz[])[1] and o.at < ($18::timestamptz[])[2] offset 0
            ) o)
), moved as (
    update accounts a
    set version = f.new_version, hold_before = f.hold_before,
        terms = coalesce(f.terms, a.terms), books = coalesce(f.books, a.books),
        due_at = case when f.books is null then a.due_at else f.due_at end
    from fresh f
    where a.home = f.home and a.shard = $shard and a.account = f.home and a.version = f.expected_version and f.expected_version > 0
    returning f.place, a.life
)"
    };
}

/// Homes that are new. A new user enters the directory first, so that it cannot come to be in two homes.
macro_rules! made {
    () => {
        ", entered as (
    insert into directory (account, home)
    select f.home, f.home from fresh f where f.expected_version = 0 and f.home like 'user:%'
    on conflict (account) do nothing
    returning home
), made as (
    insert into accounts (home, shard, account, version, hold_before, due_at, life, terms, books)
    select f.home, f.shard, f.home, f.new_version, f.hold_before, f.due_at,
        coalesce((select d.life from directory d where d.account = f.home), 1), f.terms, f.books
    from fresh f
    where f.expected_version = 0 and (
        f.home not like 'user:%'
        or f.home in (select e.home from entered e)
        or exists (select 1 from directory d where d.account = f.home and d.home = f.home))
    on conflict (home, account, shard) do nothing
    returning home, life
), there as (
    select m.place, m.life from moved m
    union all
    select f.place, m.life from made m join fresh f on f.home = m.home
)"
    };
}

/// Which homes passed, all at once, in the order of their places, with their lives.
macro_rules! passed {
    ($there:literal) => {
        concat!(
            ", passed as materialized (
    select count(*) = cardinality($1) as every, coalesce(array_agg(t.place order by t.place), '{}') as places,
        coalesce(array_agg(t.life order by t.place), '{}') as lives
    from ",
            $there,
            " t
)"
        )
    };
}

/// Whether the home passed that a row belongs to.
macro_rules! has_passed {
    ($row:literal) => {
        concat!(
            "((select p.every from passed p) or ",
            $row,
            ".place = any((select p.places from passed p)::integer[]))"
        )
    };
}

/// The operations, and the books of accounts that are not their home's own.
macro_rules! booked {
    () => {
        concat!(
            ", booked as (
    insert into operations
        (home, shard, account, id, sequence, life, at, kind, key, body_hash, refers_to, entries, answer, origin)
    select o.home, ($3::smallint[])[o.place], o.account, o.id, o.sequence, ((select p.lives from passed p)::integer[])[
            case when (select p.every from passed p) then o.place
            else array_position((select p.places from passed p), o.place) end],
        o.at, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer, o.origin
    from (
        select unnest($19::integer[]) as place, unnest($20::text[]) as home, unnest($21::text[]) as account,
            unnest($22::uuid[]) as id, unnest($23::bigint[]) as sequence, unnest($24::timestamptz[]) as at,
            unnest($25::text[]) as kind, unnest($26::text[]) as key, unnest($27::bytea[]) as body_hash,
            unnest($28::uuid[]) as refers_to, unnest($29::text[]) as entries, unnest($30::text[]) as answer,
            unnest($31::text[]) as origin offset 0
    ) o
    where ",
            has_passed!("o"),
            "
), charged as (
    update accounts a set due_at = m.due_at, books = m.books
    from (
        select unnest($32::integer[]) as place, unnest($33::text[]) as home, unnest($34::text[]) as account,
            unnest($35::timestamptz[]) as due_at, unnest($36::text[]) as books offset 0
    ) m
    where ",
            has_passed!("m"),
            " and a.home = m.home and a.shard = $shard and a.account = m.account
)"
        )
    };
}

/// Writes a batch of what nearly all are made of: operations on homes that there are, and the accounts that they
/// change.
///
/// Parameters: of each home its place, id, shard, expected and new version, first deadline, and terms, books and due instant
/// of its own account (null where that did not change); catalog version; name, owner and epoch of the lease; places,
/// homes, accounts and keys that were not looked for, and since when keys count; the columns of the operations; the
/// columns of the other accounts.
pub static WRITE_PLAIN: LazyLock<Forms> = LazyLock::new(|| Forms::of(PLAIN));

const PLAIN: &str = concat!(
    moved!(),
    passed!("moved"),
    booked!(),
    " select p.places from passed p"
);

/// Writes a batch with everything that it can have.
///
/// Parameters: those of [`WRITE_PLAIN`]; the columns of the accounts whose terms changed, of the reservations, of the
/// events and of the closed balances.
pub static WRITE: LazyLock<Forms> = LazyLock::new(|| Forms::of(FULL));

const FULL: &str = concat!(
    moved!(),
    made!(),
    passed!("there"),
    booked!(),
    ", joined as (
    insert into accounts (home, shard, account, version, due_at, terms, books)
    select m.home, ($3::smallint[])[m.place], m.account, 0, m.due_at, m.terms, m.books
    from (
        select unnest($37::integer[]) as place, unnest($38::text[]) as home, unnest($39::text[]) as account,
            unnest($40::timestamptz[]) as due_at, unnest($41::text[]) as terms, unnest($42::text[]) as books offset 0
    ) m
    where ",
    has_passed!("m"),
    "
    on conflict (home, account, shard) do update
    set due_at = excluded.due_at, terms = excluded.terms, books = excluded.books
), held as (
    insert into reservations (home, shard, id, account, expires_at, state, ended_by, late_commit, document)
    select r.home, ($3::smallint[])[r.place], r.id, r.account, r.expires_at, r.state, r.ended_by, r.late_commit, r.document
    from (
        select unnest($43::integer[]) as place, unnest($44::text[]) as home, unnest($45::uuid[]) as id,
            unnest($46::text[]) as account, unnest($47::timestamptz[]) as expires_at, unnest($48::text[]) as state,
            unnest($49::uuid[]) as ended_by, unnest($50::uuid[]) as late_commit, unnest($51::text[]) as document
            offset 0
    ) r
    where ",
    has_passed!("r"),
    "
    on conflict (home, id, shard) do update
    set expires_at = excluded.expires_at, state = excluded.state, ended_by = excluded.ended_by,
        late_commit = excluded.late_commit, document = excluded.document
), told as (
    insert into outbox (shard, id, home, account, number, sequence, at, kind)
    select e.shard, e.id, e.home, e.account, e.number, e.sequence, e.at, e.kind::jsonb
    from (
        select unnest($52::integer[]) as place, unnest($53::smallint[]) as shard, unnest($54::uuid[]) as id,
            unnest($55::text[]) as home, unnest($56::text[]) as account, unnest($57::bigint[]) as number,
            unnest($58::bigint[]) as sequence, unnest($59::timestamptz[]) as at, unnest($60::text[]) as kind offset 0
    ) e
    where ",
    has_passed!("e"),
    "
), closed as (
    insert into closed_balances (home, shard, account, bucket, balance)
    select c.home, ($3::smallint[])[c.place], c.account, c.bucket, c.balance
    from (
        select unnest($61::integer[]) as place, unnest($62::text[]) as home, unnest($63::text[]) as account,
            unnest($64::text[]) as bucket, unnest($65::text[]) as balance offset 0
    ) c
    where ",
    has_passed!("c"),
    "
    on conflict (home, account, bucket, shard) do update set balance = excluded.balance
) select p.places from passed p"
);
