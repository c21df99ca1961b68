//! The table `reservations`: holds, open and ended.

use std::sync::LazyLock;

use quota_core::ids::AccountId;
use quota_core::reservation::Reservation;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::error::Fault;
use crate::rows::{ManyRows, row};
use crate::values::{Reading, counter, json, micros, name};

/// The columns that a reservation is read from, and its home.
macro_rules! columns {
    () => {
        "r.id, r.home, r.account, r.token, r.feature, r.amount, r.draws, r.expires_at, r.state, r.ended_by, \
         r.late_commit"
    };
}

/// Those of homes and ids, in JSON.
pub(crate) const LOAD: &str = concat!(
    "select ",
    columns!(),
    " from json_each(?1) as q cross join reservations as r \
     on r.home = q.value ->> 0 and r.id = unhex(q.value ->> 1)"
);

/// The open ones of homes, in JSON.
pub(crate) const OPEN: &str = concat!(
    "select ",
    columns!(),
    " from json_each(?1) as q cross join reservations as r \
     on r.home = q.value where r.state = 'open'"
);

/// All of a home.
pub(crate) const OF_HOME: &str = concat!(
    "select ",
    columns!(),
    " from reservations as r where r.home = ?1 order by r.id"
);

/// Homes with an open one that is past its deadline.
pub(crate) const HOMES_WITH_DUE: &str = "select distinct home from reservations \
     where state = 'open' and expires_at <= ?1 order by home limit ?2";

/// Removes ended ones.
pub(crate) const PRUNE: &str = "delete from reservations where rowid in \
     (select rowid from reservations where state <> 'open' and expires_at < ?1 limit ?2)";

row! {
    /// A reservation, with every value encoded.
    pub(crate) struct ReservationRow {
        home: String,
        id: Uuid,
        account: String,
        token: Option<String>,
        feature: String,
        amount: i64,
        draws: String,
        expires_at: i64,
        state: String,
        ended_by: Option<Uuid>,
        late_commit: Option<Uuid>,
    }
}

impl ReservationRow {
    /// The row of a reservation in `home`.
    pub(crate) fn new(home: &AccountId, reservation: &Reservation) -> Result<Self, Fault> {
        let token = reservation.token.as_ref();
        Ok(Self {
            home: home.as_str().to_owned(),
            id: reservation.id,
            account: reservation.account.as_str().to_owned(),
            token: token.map(|token| token.as_str().to_owned()),
            feature: reservation.feature.as_str().to_owned(),
            amount: counter(reservation.amount)?,
            draws: json(&reservation.draws)?,
            expires_at: micros(reservation.expires_at),
            state: name(&reservation.state)?,
            ended_by: reservation.ended_by,
            late_commit: reservation.late_commit,
        })
    }
}

static UPSERT: LazyLock<ManyRows<ReservationRow>> =
    LazyLock::new(|| ManyRows::upsert("insert into reservations", &["home", "id"]));

/// Stores reservations, new or changed.
pub(crate) async fn upsert(
    connection: &mut SqliteConnection,
    rows: Vec<ReservationRow>,
) -> Result<(), Fault> {
    UPSERT.run(connection, rows).await?;
    Ok(())
}

/// A reservation and its home.
pub(crate) fn read(row: &SqliteRow) -> Result<(AccountId, Reservation), Fault> {
    let id: Uuid = Reading::new(row, "reservations", "").raw("id")?;
    let row = Reading::new(row, "reservations", id);
    let reservation = Reservation {
        id,
        account: row.text("account")?,
        token: row.optional_text("token")?,
        feature: row.text("feature")?,
        amount: row.counter("amount")?,
        draws: row.json("draws")?,
        expires_at: row.instant("expires_at")?,
        state: row.text("state")?,
        ended_by: row.raw("ended_by")?,
        late_commit: row.raw("late_commit")?,
    };
    Ok((row.text("home")?, reservation))
}
