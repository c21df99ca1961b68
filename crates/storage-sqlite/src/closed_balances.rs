//! The table `closed_balances`: balances that left the live ones of their account.

use std::sync::LazyLock;

use quota_core::home::ClosedBalance;
use quota_core::ids::AccountId;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::error::Fault;
use crate::rows::{ManyRows, row};
use crate::values::{Reading, json};

/// Those of homes, accounts and buckets, in JSON.
pub(crate) const LOAD: &str = "select c.home, c.account, c.balance \
     from json_each(?1) as q cross join closed_balances as c on c.home = q.value ->> 0 \
     and c.account = q.value ->> 1 and c.bucket = q.value ->> 2 \
     order by c.account, c.bucket";

/// Those of homes and accounts whose bucket lies between two texts, in JSON.
pub(crate) const LOAD_BETWEEN: &str = "select c.home, c.account, c.balance \
     from json_each(?1) as q cross join closed_balances as c on c.home = q.value ->> 0 \
     and c.account = q.value ->> 1 and c.bucket >= q.value ->> 2 and c.bucket < q.value ->> 3 \
     order by c.account, c.bucket";

/// All of a home.
pub(crate) const OF_HOME: &str = "select home, account, balance from closed_balances \
     where home = ?1 order by account, bucket";

row! {
    /// A closed balance, with every value encoded.
    pub(crate) struct ClosedRow {
        home: String,
        account: String,
        bucket: String,
        balance: String,
    }
}

impl ClosedRow {
    /// The row of a balance of an account in `home`.
    pub(crate) fn new(home: &AccountId, closed: &ClosedBalance) -> Result<Self, Fault> {
        Ok(Self {
            home: home.as_str().to_owned(),
            account: closed.account.as_str().to_owned(),
            bucket: closed.balance.bucket.to_string(),
            balance: json(&closed.balance)?,
        })
    }
}

static UPSERT: LazyLock<ManyRows<ClosedRow>> = LazyLock::new(|| {
    ManyRows::upsert(
        "insert into closed_balances",
        &["home", "account", "bucket"],
    )
});

/// Stores closed balances, new or changed.
pub(crate) async fn upsert(
    connection: &mut SqliteConnection,
    rows: Vec<ClosedRow>,
) -> Result<(), Fault> {
    UPSERT.run(connection, rows).await?;
    Ok(())
}

/// A closed balance and its home.
pub(crate) fn read(row: &SqliteRow) -> Result<(AccountId, ClosedBalance), Fault> {
    let account: AccountId = Reading::new(row, "closed_balances", "").text("account")?;
    let reading = Reading::new(row, "closed_balances", &account);
    let balance = reading.json("balance")?;
    Ok((reading.text("home")?, ClosedBalance { account, balance }))
}
