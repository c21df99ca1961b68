//! Moving a user from one home to another, in one transaction.

use quota_core::ids::AccountId;
use quota_core::ports::AccountWrite;
use quota_core::relocation::Relocation;
use sqlx::sqlite::SqliteConnection;

use crate::accounts::{self, AccountChange, Guard};
use crate::batch::HomeRows;
use crate::closed_balances::ClosedRow;
use crate::error::{Fault, refused};
use crate::operations::{self, OperationRow};
use crate::outbox::{EventRow, carry_events};
use crate::values::{counter, json, micros};

/// A move with every value encoded.
pub(crate) struct Move {
    user: AccountId,
    from: (AccountId, i64),
    to: (AccountId, i64),
    account: AccountChange,
    orgs: Vec<(AccountId, String, String)>,
    left: (Guard, OperationRow),
    joined: (Guard, OperationRow),
    closed: Vec<ClosedRow>,
    events: Vec<EventRow>,
}

impl Move {
    /// Encodes a move.
    pub(crate) fn new(moved: &Relocation) -> Result<Self, Fault> {
        let ((from, from_version), (to, to_version)) = (&moved.from, &moved.to);
        if from == to || (*to_version == 0) != (*to == moved.user) {
            return Err(refused(format!("`{}` cannot move to `{to}`", moved.user)));
        }
        let guard = |home: &AccountId, operation: &quota_core::operation::Operation| {
            Ok::<_, Fault>(Guard {
                home: home.as_str().to_owned(),
                version: counter(operation.sequence)?,
                operated_at: Some(micros(operation.at)),
                ..Guard::default()
            })
        };
        let account = AccountWrite {
            has_new_terms: true,
            id: moved.user.clone(),
            account: moved.account.clone().into(),
            due_at: moved.due_at,
        };
        Ok(Self {
            user: moved.user.clone(),
            from: (from.clone(), counter(*from_version)?),
            to: (to.clone(), counter(*to_version)?),
            account: AccountChange::new(to, Guard::default(), &account)?,
            orgs: orgs(moved)?,
            left: (
                guard(from, &moved.left)?,
                OperationRow::new(from, &moved.left)?,
            ),
            joined: (
                guard(to, &moved.joined)?,
                OperationRow::new(to, &moved.joined)?,
            ),
            closed: moved
                .closed
                .iter()
                .map(|closed| ClosedRow::new(from, closed))
                .collect::<Result<_, Fault>>()?,
            events: std::iter::once(&moved.event)
                .chain(&moved.org_events)
                .map(EventRow::new)
                .collect::<Result<_, Fault>>()?,
        })
    }
}

/// The orgs that a move changes, each the home of its own.
fn orgs(moved: &Relocation) -> Result<Vec<(AccountId, String, String)>, Fault> {
    let left = moved.left_org.as_ref().map(|org| (&moved.from.0, org));
    let joined = moved.joined_org.as_ref().map(|org| (&moved.to.0, org));
    let changed = left.into_iter().chain(joined);
    let encoded = changed.map(|(id, org)| Ok((id.clone(), json(&org.terms)?, json(&org.books)?)));
    encoded.collect()
}

/// Runs inside a transaction that holds the only right to write.
pub(crate) async fn relocate(
    connection: &mut SqliteConnection,
    mut moved: Move,
) -> Result<bool, Fault> {
    let homes = [&moved.from.0, &moved.to.0];
    let mut guards = accounts::guards(connection, &homes).await?;
    let (from, to) = (guards.remove(&moved.from.0), guards.remove(&moved.to.0));
    let version = |guard: &Option<Guard>| guard.as_ref().map_or(0, |guard| guard.version);
    if version(&from) != moved.from.1 || version(&to) != moved.to.1 {
        return Ok(false);
    }
    let leaves = sqlx::query(accounts::REMOVE)
        .bind(moved.from.0.as_str())
        .bind(moved.user.as_str())
        .execute(&mut *connection)
        .await?;
    if leaves.rows_affected() == 0 {
        return Ok(false);
    }
    enter_directory(connection, &moved).await?;
    carry_events(connection, &moved.user, &moved.to.0).await?;
    let mut rows = HomeRows::default();
    if let Some(from) = from {
        moved.left.1.life = from.life;
        if moved.from.0 != moved.user {
            rows.guards.push(from.moved_on(moved.left.0));
        }
    }
    if let Some(to) = to {
        moved.joined.1.life = to.life;
        rows.guards.push(to.moved_on(moved.joined.0));
    } else {
        moved.joined.1.life = next_life(connection, &moved.to.0).await?;
        moved.account.guard = Guard {
            life: moved.joined.1.life,
            ..moved.joined.0
        };
    }
    rows.accounts.push(moved.account);
    rows.operations.extend([moved.left.1, moved.joined.1]);
    rows.events.append(&mut moved.events);
    rows.closed.append(&mut moved.closed);
    let orgs = std::mem::take(&mut moved.orgs);
    rows.write(&mut *connection).await?;
    for (org, terms, books) in orgs {
        let statement =
            "update accounts set terms = ?2, books = ?3 where home = ?1 and account = ?1";
        let statement = sqlx::query(statement).bind(org.as_str());
        let statement = statement.bind(terms).bind(books);
        statement.execute(&mut *connection).await?;
    }
    Ok(true)
}

async fn next_life(connection: &mut SqliteConnection, home: &AccountId) -> Result<i64, Fault> {
    let statement = sqlx::query_scalar(operations::NEXT_LIFE).bind(home.as_str());
    Ok(statement.fetch_one(connection).await?)
}

/// A user that becomes a home of its own has no entry.
async fn enter_directory(connection: &mut SqliteConnection, moved: &Move) -> Result<(), Fault> {
    let entry = if moved.to.1 == 0 {
        sqlx::query("delete from directory where account = ?1").bind(moved.user.as_str())
    } else {
        let statement = "insert into directory (account, home) values (?1, ?2) \
                         on conflict (account) do update set home = excluded.home";
        sqlx::query(statement)
            .bind(moved.user.as_str())
            .bind(moved.to.0.as_str())
    };
    entry.execute(connection).await?;
    Ok(())
}
