//! The table `accounts`: a row for each account; the row of the home's own account guards the home.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use quota_core::home::Account;
use quota_core::ids::AccountId;
use quota_core::ports::{AccountPage, AccountWrite};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use crate::error::Fault;
use crate::rows::{ManyRows, fetch_by_keys, row};
use crate::values::{Reading, json, micros};

/// The columns that an account is read from.
macro_rules! columns {
    () => {
        "a.home, a.account, a.version, a.life, a.hold_before, a.terms, a.books"
    };
}

/// Accounts by home and id, in JSON.
pub(crate) const LOAD: &str = concat!(
    "select ",
    columns!(),
    " from json_each(?1) as q cross join accounts as a \
     on a.home = q.value ->> 0 and a.account = q.value ->> 1"
);

/// All accounts of a home.
pub(crate) const OF_HOME: &str = concat!(
    "select ",
    columns!(),
    " from accounts as a where a.home = ?1 order by a.account"
);

/// Homes by name, for the auditor: after one, and with an operation since an instant.
pub(crate) const HOMES: &str = "select home from accounts where home = account \
     and home > coalesce(?1, '') and (?2 is null or operated_at >= ?2) \
     order by home limit ?3";

/// Takes an account out of its home.
pub(crate) const REMOVE: &str = "delete from accounts where home = ?1 and account = ?2";

/// A page of accounts: a statement for each index that a list can follow.
pub(crate) fn page(page: &AccountPage) -> &'static str {
    macro_rules! listed {
        ($($filter:literal)?) => {
            concat!(
                "select ",
                columns!(),
                " from accounts as a where a.account >= ?1 and a.account < ?2 and a.account > ?3 ",
                $($filter,)?
                " order by a.account limit ?4"
            )
        };
    }
    match (&page.org, page.due_before) {
        (None, None) => listed!(),
        (Some(_), None) => listed!("and a.org = ?5"),
        (None, Some(_)) => listed!("and a.due_at <= ?6"),
        (Some(_), Some(_)) => listed!("and a.org = ?5 and a.due_at <= ?6"),
    }
}

/// An account, its home and its id.
pub(crate) fn read(row: &SqliteRow) -> Result<(AccountId, AccountId, Account), Fault> {
    let id: AccountId = Reading::new(row, "accounts", "").text("account")?;
    let reading = Reading::new(row, "accounts", &id);
    let account = Account {
        terms: reading.json("terms")?,
        books: reading.json("books")?,
    };
    Ok((reading.text("home")?, id, account))
}

/// What the row of the home's own account says of the home; nothing on the rows of other accounts.
#[derive(Clone, Default)]
pub(crate) struct Guard {
    pub(crate) home: String,
    /// The version that was loaded; 0 for other accounts and for a new home.
    pub(crate) expected: i64,
    pub(crate) version: i64,
    pub(crate) life: i64,
    pub(crate) hold_before: Option<i64>,
    pub(crate) operated_at: Option<i64>,
}

impl Guard {
    /// At the version of `later`; what is held stays held.
    pub(crate) fn moved_on(self, later: Self) -> Self {
        Self {
            hold_before: self.hold_before,
            expected: self.version,
            life: self.life,
            ..later
        }
    }
}

/// An account that is written, with every value encoded.
pub(crate) struct AccountChange {
    home: String,
    account: String,
    pub(crate) guard: Guard,
    org: Option<String>,
    /// Empty when the stored ones stay.
    terms: String,
    books: String,
    due_at: Option<i64>,
}

impl AccountChange {
    /// The change of an account in `home`.
    pub(crate) fn new(home: &AccountId, guard: Guard, write: &AccountWrite) -> Result<Self, Fault> {
        let org = write.account.terms.org.as_ref();
        Ok(Self {
            home: home.as_str().to_owned(),
            account: write.id.as_str().to_owned(),
            guard,
            org: org.map(|org| org.as_str().to_owned()),
            terms: if write.has_new_terms {
                json(&write.account.terms)?
            } else {
                String::new()
            },
            books: json(&write.account.books)?,
            due_at: write.due_at.map(micros),
        })
    }

    pub(crate) fn is_own(&self) -> bool {
        self.home == self.account
    }

    pub(crate) fn keeps_terms(&self) -> bool {
        self.terms.is_empty()
    }
}

row! {
    struct AccountRow {
        home: String,
        account: String,
        org: Option<String>,
        version: i64,
        life: i64,
        hold_before: Option<i64>,
        operated_at: Option<i64>,
        terms: String,
        books: String,
        due_at: Option<i64>,
    }
}

row! {
    /// An account whose terms stay, and how it must be stored for that.
    struct BooksRow {
        home: String,
        account: String,
        expected: i64,
        life: i64,
        due_at: Option<i64>,
        version: i64,
        hold_before: Option<i64>,
        operated_at: Option<i64>,
        books: String,
    }
}

row! {
    /// A home whose own account stays as it is.
    struct GuardRow {
        home: String,
        expected: i64,
        life: i64,
        version: i64,
        hold_before: Option<i64>,
        operated_at: Option<i64>,
    }
}

/// The last operation of a home, which may be booked with an earlier instant than the one before it.
macro_rules! operated_at {
    ($new:literal) => {
        concat!(
            "operated_at = coalesce(max(accounts.operated_at, ",
            $new,
            ".operated_at), accounts.operated_at, ",
            $new,
            ".operated_at)"
        )
    };
}

static UPSERT: LazyLock<ManyRows<AccountRow>> = LazyLock::new(|| {
    let set = concat!(
        "org = excluded.org, version = excluded.version, hold_before = excluded.hold_before, ",
        operated_at!("excluded"),
        ", terms = case when excluded.terms = '' then terms else excluded.terms end, \
         books = excluded.books, due_at = excluded.due_at"
    );
    ManyRows::upsert_by("insert into accounts", &["home", "account"], set)
});

/// No indexed column is named: SQLite would write the index again, whether the value differs or not.
static UPDATE_BOOKS: LazyLock<ManyRows<BooksRow>> = LazyLock::new(|| {
    ManyRows::from_q(concat!(
        "update or rollback accounts set version = q.version, hold_before = q.hold_before, ",
        operated_at!("q"),
        ", books = q.books from q where accounts.home = q.home and accounts.account = q.account \
         and accounts.version = q.expected and accounts.life = q.life \
         and accounts.due_at is q.due_at"
    ))
});

static UPDATE_GUARDS: LazyLock<ManyRows<GuardRow>> = LazyLock::new(|| {
    ManyRows::from_q(concat!(
        "update or rollback accounts set version = q.version, hold_before = q.hold_before, ",
        operated_at!("q"),
        " from q where accounts.home = q.home and accounts.account = q.home \
         and accounts.version = q.expected and accounts.life = q.life"
    ))
});

/// Stores accounts, new or changed.
pub(crate) async fn upsert(
    connection: &mut SqliteConnection,
    changes: Vec<AccountChange>,
) -> Result<(), Fault> {
    let rows = changes.into_iter().map(|change| AccountRow {
        home: change.home,
        account: change.account,
        org: change.org,
        version: change.guard.version,
        life: change.guard.life,
        hold_before: change.guard.hold_before,
        operated_at: change.guard.operated_at,
        terms: change.terms,
        books: change.books,
        due_at: change.due_at,
    });
    UPSERT.run(connection, rows.collect()).await?;
    Ok(())
}

/// Stores the books of accounts that still are as they were loaded, and says how many are.
pub(crate) async fn update_books(
    connection: &mut SqliteConnection,
    changes: Vec<AccountChange>,
) -> Result<usize, Fault> {
    let rows = changes.into_iter().map(|change| BooksRow {
        home: change.home,
        account: change.account,
        expected: change.guard.expected,
        life: change.guard.life,
        due_at: change.due_at,
        version: change.guard.version,
        hold_before: change.guard.hold_before,
        operated_at: change.guard.operated_at,
        books: change.books,
    });
    UPDATE_BOOKS.run(connection, rows.collect()).await
}

/// Moves homes on whose own account stays as it is, and says how many still were as they were loaded.
pub(crate) async fn update_guards(
    connection: &mut SqliteConnection,
    guards: Vec<Guard>,
) -> Result<usize, Fault> {
    let rows = guards.into_iter().map(|guard| GuardRow {
        home: guard.home,
        expected: guard.expected,
        life: guard.life,
        version: guard.version,
        hold_before: guard.hold_before,
        operated_at: guard.operated_at,
    });
    UPDATE_GUARDS.run(connection, rows.collect()).await
}

/// The guards of those of the homes that exist.
pub(crate) async fn guards(
    connection: &mut SqliteConnection,
    homes: &[&AccountId],
) -> Result<BTreeMap<AccountId, Guard>, Fault> {
    let statement = "select a.home, a.version, a.life, a.hold_before from json_each(?1) as q \
                     cross join accounts as a on a.home = q.value and a.account = q.value";
    let mut guards = BTreeMap::new();
    for row in fetch_by_keys(connection, statement, &homes).await? {
        let row = Reading::new(&row, "accounts", "a guard");
        let home: AccountId = row.text("home")?;
        let guard = Guard {
            home: home.as_str().to_owned(),
            version: row.raw("version")?,
            life: row.raw("life")?,
            hold_before: row.raw("hold_before")?,
            ..Guard::default()
        };
        guards.insert(home, guard);
    }
    Ok(guards)
}
