//! The table `reservations`: holds, open and ended. The columns beside the document are those that are looked for.

use quota_core::ids::AccountId;
use quota_core::ports::StoreError;
use quota_core::reservation::Reservation;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::columns::{Bound, columns};
use crate::row_kind::{RowKind, arm};
use crate::values::{Instant, Reading, json_text, name_text};

columns! {
    /// Reservations that are new or changed.
    pub(crate) struct ReservationColumns<'b> {
        place: i32 => "integer",
        home: &'b str => "text",
        id: Uuid => "uuid",
        account: &'b str => "text",
        expires_at: Instant => "timestamptz",
        state: String => "text",
        ended_by: Option<Uuid> => "uuid",
        late_commit: Option<Uuid> => "uuid",
        document: String => "text",
    }
}

impl<'b> ReservationColumns<'b> {
    pub(crate) fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        reservation: &'b Reservation,
    ) -> Result<(), StoreError> {
        self.place.push(place);
        self.home.push(home.as_str());
        self.id.push(reservation.id);
        self.account.push(reservation.account.as_str());
        self.expires_at.push(reservation.expires_at);
        self.state.push(name_text(&reservation.state)?);
        self.ended_by.push(reservation.ended_by);
        self.late_commit.push(reservation.late_commit);
        self.document.push(json_text(reservation)?);
        Ok(())
    }
}

/// The reservations of the homes that passed.
pub(crate) fn held(columns: Bound, has_passed: &str, shards: &str) -> String {
    let left_out = ["place"];
    let (names, values) = (columns.names("", &left_out), columns.names("r", &left_out));
    let rows = columns.rows();
    format!(
        "held as (
    insert into reservations (shard, {names})
    select {shards}[r.place], {values}
    from ({rows}) r
    where {has_passed}
    on conflict (home, id, shard) do update
    set expires_at = excluded.expires_at, state = excluded.state, ended_by = excluded.ended_by,
        late_commit = excluded.late_commit, document = excluded.document
)"
    )
}

/// Open ones that are past their deadline, looked for only in homes where there can be one.
pub(crate) const DUE: &str = "due as materialized (
    select f.home, e.id, e.account, e.document
    from found f
    cross join lateral (
        select r.id, r.account, r.document from reservations r
        where r.home = f.home and r.shard = $shard and r.state = 'open' and r.expires_at <= $3 offset 0
    ) e
    where f.account = f.home and f.hold_before <= $3
)";

/// Those.
pub(crate) fn due_rows() -> String {
    reservation_rows("d", "due d")
}

/// The ones asked for, and the operations that they or the request name.
pub(crate) const ASKED: &str = "asked as materialized (
    select r.home, r.id, r.ended_by, r.late_commit, r.document
    from unnest($8::text[], $9::uuid[]) as q (home, id)
    join reservations r on r.home = q.home and r.shard = $shard and r.id = q.id
), named as materialized (
    select q.home, q.id from unnest($10::text[], $11::uuid[]) as q (home, id)
    union
    select a.home, a.ended_by from asked a where a.ended_by is not null
    union
    select a.home, a.late_commit from asked a where a.late_commit is not null
)";

/// The ones asked for.
pub(crate) fn asked_rows() -> String {
    reservation_rows("a", "asked a")
}

fn reservation_rows(row: &str, from: &str) -> String {
    let of = |column: &str| format!("{row}.{column}");
    let columns = [
        ("home", of("home")),
        ("id", of("id")),
        ("document", of("document")),
    ];
    arm(RowKind::Reservation, &columns, from)
}

/// All of a home.
pub(crate) const OF_HOME: &str = "\
select r.id, r.document from reservations r where r.home = $1 and r.shard = $2 order by r.id";
/// Homes with an open one that is past its deadline.
pub(crate) const HOMES_WITH_DUE: &str = "\
select r.home from reservations r
where r.state = 'open' and r.home > '' and r.expires_at <= $1
group by r.home order by min(r.expires_at) limit $2";

/// Removes ended ones.
pub(crate) const PRUNE: &str = "\
delete from reservations r using (
    select e.home, e.id from reservations e
    where e.state <> 'open' and e.expires_at < $1 order by e.home, e.id limit $2
) old where r.home = old.home and r.id = old.id and r.state <> 'open'";

/// The reservation of a row.
pub(crate) fn read(row: &PgRow) -> Result<Reservation, StoreError> {
    let id: Uuid = Reading::new(row, "reservations", "?").get("id")?;
    Reading::new(row, "reservations", id.to_string()).json("document")
}
