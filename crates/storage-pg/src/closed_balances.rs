//! The table `closed_balances`: balances that left the live ones of their account.

use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use quota_core::ports::StoreError;
use sqlx::postgres::{PgConnection, PgRow};

use crate::columns::{Bound, columns};
use crate::error::store_error;
use crate::row_kind::{RowKind, arm};
use crate::values::{Reading, json_text};

columns! {
    /// Balances that were closed, or whose closed value changed.
    pub(crate) struct ClosedColumns<'b> {
        place: i32 => "integer",
        home: &'b str => "text",
        account: &'b str => "text",
        bucket: String => "text",
        balance: String => "text",
    }
}

impl<'b> ClosedColumns<'b> {
    pub(crate) fn push(
        &mut self,
        (home, place): (&'b AccountId, i32),
        closed: &'b ClosedBalance,
    ) -> Result<(), StoreError> {
        self.place.push(place);
        self.home.push(home.as_str());
        self.account.push(closed.account.as_str());
        self.bucket.push(closed.balance.bucket.to_string());
        self.balance.push(json_text(&closed.balance)?);
        Ok(())
    }
}

/// The closed balances of the homes that passed.
pub(crate) fn closed(columns: Bound, has_passed: &str, shards: &str) -> String {
    let left_out = ["place"];
    let (names, values) = (columns.names("", &left_out), columns.names("c", &left_out));
    let rows = columns.rows();
    format!(
        "closed as (
    insert into closed_balances (shard, {names})
    select {shards}[c.place], {values}
    from ({rows}) c
    where {has_passed}
    on conflict (home, account, bucket, shard) do update set balance = excluded.balance
)"
    )
}

const SET: &str = "\
insert into closed_balances (shard, home, account, bucket, balance) values ($1, $2, $3, $4, $5)
on conflict (home, account, bucket, shard) do update set balance = excluded.balance";

/// Writes one closed balance of a home.
pub(crate) async fn set(
    connection: &mut PgConnection,
    home: &AccountId,
    closed: &ClosedBalance,
) -> Result<(), StoreError> {
    sqlx::query(SET)
        .bind(i16::from(home.shard()))
        .bind(home.as_str())
        .bind(closed.account.as_str())
        .bind(closed.balance.bucket.to_string())
        .bind(json_text(&closed.balance)?)
        .execute(connection)
        .await
        .map(drop)
        .map_err(store_error)
}

/// The closed balances that operations which are referred to drew on.
pub(crate) fn closed_rows() -> String {
    let columns = [
        ("home", "c.home".to_owned()),
        ("account", "c.account".to_owned()),
        ("id", "b.id".to_owned()),
        ("document", "c.balance".to_owned()),
    ];
    let from = "(
    select distinct r.home, r.id, e ->> 'b' as bucket,
        coalesce(e ->> 'a', case e ->> 's' when 'org' then r.home else r.account end) as account
    from referred r cross join lateral json_array_elements(r.entries::json) as e
) b join closed_balances c on c.home = b.home and c.shard = $shard and c.account = b.account and c.bucket = b.bucket";
    arm(RowKind::Closed, &columns, from)
}

/// The closed balances that were asked for: those whose buckets lie between two texts.
pub(crate) fn asked_rows() -> String {
    let columns = [
        ("home", "c.home".to_owned()),
        ("account", "c.account".to_owned()),
        ("document", "c.balance".to_owned()),
    ];
    let from = "unnest($12::text[], $13::text[], $14::text[], $15::text[]) as w (home, account, first, before)
join closed_balances c on c.home = w.home and c.shard = $shard and c.account = w.account
    and c.bucket >= w.first and c.bucket < w.before";
    arm(RowKind::ClosedAsked, &columns, from)
}

/// All of a home.
pub(crate) const OF_HOME: &str = "\
select c.account, c.balance from closed_balances c where c.home = $1 and c.shard = $2 order by c.account, c.bucket";

/// The closed balance of a row, in the column that is named.
pub(crate) fn read(row: &PgRow, balance: &str) -> Result<ClosedBalance, StoreError> {
    let key: &str = Reading::new(row, "closed_balances", "?").get("account")?;
    let reading = Reading::new(row, "closed_balances", key);
    Ok(ClosedBalance {
        account: reading.account_id("account")?,
        balance: reading.json(balance)?,
    })
}
