//! Rows of holds.

use std::sync::LazyLock;

use quota_core::ids::AccountId;
use quota_core::reservation::Reservation;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use uuid::Uuid;

use crate::error::Fault;
use crate::rows::{ManyRows, Statement};
use crate::values::{Reading, counter, json, micros, name};

/// The columns that a reservation is read from, then its home.
macro_rules! reservation_columns {
    () => {
        "r.id, r.account, r.token, r.feature, r.amount, r.draws, r.expires_at, r.state, r.ended_by, \
         r.late_commit, r.home"
    };
}
pub(crate) use reservation_columns;

/// A reservation with all that has to be encoded.
pub(crate) struct ReservationRow {
    home: AccountId,
    id: Uuid,
    account: AccountId,
    token: Option<String>,
    feature: String,
    amount: i64,
    draws: String,
    expires_at: i64,
    state: String,
    ended_by: Option<Uuid>,
    late_commit: Option<Uuid>,
}

impl ReservationRow {
    /// The row of a reservation in `home`.
    pub(crate) fn new(home: &AccountId, reservation: &Reservation) -> Result<Self, Fault> {
        let token = reservation.token.as_ref();
        Ok(Self {
            home: home.clone(),
            id: reservation.id,
            account: reservation.account.clone(),
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

/// Stores reservations, new or changed.
pub(crate) async fn upsert_reservations(
    connection: &mut SqliteConnection,
    rows: Vec<ReservationRow>,
) -> Result<(), Fault> {
    static UPSERT: LazyLock<ManyRows> = LazyLock::new(|| {
        let head = "insert into reservations (home, id, account, token, feature, amount, draws, expires_at, \
                    state, ended_by, late_commit) values";
        let tail = "on conflict (home, id) do update set account = excluded.account, token = excluded.token, \
                    feature = excluded.feature, amount = excluded.amount, draws = excluded.draws, \
                    expires_at = excluded.expires_at, state = excluded.state, ended_by = excluded.ended_by, \
                    late_commit = excluded.late_commit";
        ManyRows::new(head, 11, tail)
    });
    let bind = |statement: Statement, row: ReservationRow| {
        statement
            .bind(row.home.as_str())
            .bind(row.id)
            .bind(row.account.as_str())
            .bind(row.token)
            .bind(row.feature)
            .bind(row.amount)
            .bind(row.draws)
            .bind(row.expires_at)
            .bind(row.state)
            .bind(row.ended_by)
            .bind(row.late_commit)
    };
    UPSERT.run(connection, rows, bind).await?;
    Ok(())
}

/// A reservation and its home.
pub(crate) fn read_reservation(row: &SqliteRow) -> Result<(AccountId, Reservation), Fault> {
    let id: Uuid = Reading::new(row, "reservations", "").raw(0)?;
    let row = Reading::new(row, "reservations", id);
    let reservation = Reservation {
        id,
        account: row.text(1)?,
        token: row.optional_text(2)?,
        feature: row.text(3)?,
        amount: row.counter(4)?,
        draws: row.json(5)?,
        expires_at: row.instant(6)?,
        state: row.text(7)?,
        ended_by: row.raw(8)?,
        late_commit: row.raw(9)?,
    };
    Ok((row.text(10)?, reservation))
}
