//! `load`: one statement, one snapshot, no lock.
//!
//! `offset 0` keeps a part of its own: it is then planned for one home, never for all of them.
//! Rows of several kinds come in one result; `row_kind` tells them apart, see `load_rows`.

use std::sync::LazyLock;

use super::Forms;

/// The accounts asked for, each home's own among them; and open reservations that are past their deadline, looked for
/// only in homes where there can be one.
macro_rules! found {
    () => {
        "with found as materialized (
    select a.home, a.account, a.life, a.version, a.hold_before, a.terms, a.books
    from unnest($1::text[], $2::text[]) as q (home, account)
    join accounts a on a.home = q.home and a.shard = $shard and a.account = q.account
), due as materialized (
    select f.home, e.id, e.account, e.document
    from found f
    cross join lateral (
        select r.id, r.account, r.document from reservations r
        where r.home = f.home and r.shard = $shard and r.state = 'open' and r.expires_at <= $3 offset 0
    ) e
    where f.account = f.home and f.hold_before <= $3
)"
    };
}

/// The version of the catalog; the accounts; earlier operations with the keys asked for; the reservations that are due,
/// with their accounts.
macro_rules! always {
    () => {
        "
select 0 as row_kind, null::text as home, null::text as account,
    coalesce((select max(c.version) from catalogs c), 0) as number, null::timestamptz as at, null::uuid as id,
    null::text as kind, null::text as key, null::bytea as body_hash, null::uuid as refers_to,
    null as document, null as books, null as answer, null as origin
union all
select 1, f.home, f.account, f.version,
    case when f.hold_before <= $3 then (
        select min(o.expires_at) from (
            select r.expires_at from reservations r
            where r.home = f.home and r.shard = $shard and r.state = 'open' and r.expires_at > $3 offset 0
        ) o
    ) else f.hold_before end,
    null, null, null, null, null, f.terms, f.books, null, null
from found f
union all
select 2, o.home, o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to,
    o.entries, null, o.answer, o.origin
from unnest($4::text[], $5::text[], $6::text[]) as k (home, account, key)
cross join lateral (
    select o.home, o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to, o.entries, o.answer,
        o.origin
    from operations o
    where o.home = k.home and o.shard = $shard and o.account = k.account and o.key = k.key
        and o.at >= ($7::timestamptz[])[1] and o.at < ($7::timestamptz[])[2] offset 0
) o
union all
select 1, a.home, a.account, a.version, null, null, null, null, null, null, a.terms, a.books, null, null
from (select distinct d.home, d.account from due d where d.account <> d.home) d
join accounts a on a.home = d.home and a.shard = $shard and a.account = d.account
union all
select 3, d.home, null, null, null, d.id, null, null, null, null, d.document, null, null, null
from due d"
    };
}

/// Reads homes for requests that refer to no earlier operation.
///
/// Parameters: homes and accounts; now; homes, accounts and keys, and since when keys count.
pub static LOAD: LazyLock<Forms> = LazyLock::new(|| Forms::of(concat!(found!(), always!())));

/// Reads homes for requests that refer to reservations or operations: those too, with the operations that ended a
/// reservation, earlier refunds, and balances that were closed since.
///
/// Parameters: those of [`LOAD`]; homes and ids of reservations; homes and ids of operations.
pub static LOAD_REFERRED: LazyLock<Forms> = LazyLock::new(|| Forms::of(REFERRED));

const REFERRED: &str = concat!(
    found!(),
    ", asked as materialized (
    select r.home, r.id, r.ended_by, r.late_commit, r.document
    from unnest($8::text[], $9::uuid[]) as q (home, id)
    join reservations r on r.home = q.home and r.shard = $shard and r.id = q.id
), named as materialized (
    select q.home, q.id from unnest($10::text[], $11::uuid[]) as q (home, id)
    union
    select a.home, a.ended_by from asked a where a.ended_by is not null
    union
    select a.home, a.late_commit from asked a where a.late_commit is not null
), wanted as materialized (
    -- An id ends with the place in the home's history: its last 40 bits.
    select n.home, n.id, ('x' || right(replace(n.id::text, '-', ''), 10))::bit(40)::bigint as sequence,
        coalesce(
            (select f.life from found f where f.home = n.home and f.account = n.home),
            (select d.life from directory d where d.account = n.home), 1) as life
    from named n
), referred as materialized (
    select o.home, o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to,
        o.entries, o.answer, o.origin
    from wanted w
    cross join lateral (
        select o.home, o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to,
            o.entries, o.answer, o.origin
        from operations o
        where o.home = w.home and o.shard = $shard and o.life = w.life and o.sequence = w.sequence offset 0
    ) o
    where o.id = w.id
)",
    always!(),
    "
union all
select 3, a.home, null, null, null, a.id, null, null, null, null, a.document, null, null, null
from asked a
union all
select 4, r.home, r.account, r.sequence, r.at, r.id, r.kind, r.key, r.body_hash, r.refers_to,
    r.entries, null, r.answer, r.origin
from referred r
union all
select 5, o.home, o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to,
    o.entries, null, o.answer, o.origin
from wanted w
cross join lateral (
    select o.home, o.account, o.sequence, o.at, o.id, o.kind, o.key, o.body_hash, o.refers_to,
        o.entries, o.answer, o.origin
    from operations o
    where o.home = w.home and o.shard = $shard and o.refers_to = w.id and o.kind = 'refund' offset 0
) o
union all
select 6, c.home, c.account, null, null, b.id, null, null, null, null, c.balance, null, null, null
from (
    select distinct r.home, r.id, e ->> 'a' as account, e ->> 'b' as bucket
    from referred r cross join lateral json_array_elements(r.entries::json) as e
) b join closed_balances c on c.home = b.home and c.shard = $shard and c.account = b.account and c.bucket = b.bucket"
);
