//! The table `code_uses`: which account uses which code.

use quota_core::code::{CodeHash, CodeUse};
use quota_core::ids::AccountId;
use quota_core::ports::{CodeClaim, CodeUsePage};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Sqlite, SqliteExecutor};

use crate::error::Fault;
use crate::values::{Reading, micros};

type Statement = Query<'static, Sqlite, SqliteArguments>;

/// A statement about a code.
fn of_code(text: &'static str, hash: &CodeHash) -> Statement {
    sqlx::query(text).bind(hash.0.to_vec())
}

/// A statement about an account's use of a code.
pub(crate) fn of_use(text: &'static str, hash: &CodeHash, account: &AccountId) -> Statement {
    of_code(text, hash).bind(account.to_string())
}

/// See [`quota_core::ports::CodeStore::claim_code`].
pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    claim: CodeClaim,
) -> Result<Option<CodeUse>, Fault> {
    let (hash, account) = (&claim.hash, &claim.account);
    let again = "update code_uses set tries = tries + 1 where hash = ?1 and account = ?2 and done_at is null";
    of_use(again, hash, account)
        .execute(&mut *connection)
        .await?;
    if let Some(known) = one(&mut *connection, hash, account).await? {
        return Ok(Some(known));
    }
    let count = "update codes set uses = uses + 1 where hash = ?1 and uses < uses_max and revoked_at is null \
                 and (from_at is null or from_at <= ?2) and (until_at is null or ?2 < until_at)";
    let counted = of_code(count, hash).bind(micros(claim.at));
    if counted.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(None);
    }
    let enter = "insert into code_uses (hash, account, key, claimed_at, tries, refused) \
                 values (?1, ?2, ?3, ?4, 1, 0)";
    of_use(enter, hash, account)
        .bind(claim.key.as_ref().map(ToString::to_string))
        .bind(micros(claim.at))
        .execute(&mut *connection)
        .await?;
    one(connection, hash, account).await
}

/// See [`quota_core::ports::CodeStore::refuse_code_use`].
pub(crate) async fn refuse(
    connection: &mut SqliteConnection,
    hash: CodeHash,
    account: AccountId,
) -> Result<bool, Fault> {
    let refuse = "update code_uses set refused = refused + 1 \
                  where hash = ?1 and account = ?2 and done_at is null and refused < tries";
    of_use(refuse, &hash, &account)
        .execute(&mut *connection)
        .await?;
    let remove = "delete from code_uses \
                  where hash = ?1 and account = ?2 and done_at is null and refused = tries";
    let removed = of_use(remove, &hash, &account)
        .execute(&mut *connection)
        .await?;
    let is_free = removed.rows_affected() == 1;
    if is_free {
        let uncount = "update codes set uses = uses - 1 where hash = ?1";
        of_code(uncount, &hash).execute(connection).await?;
    }
    Ok(is_free)
}

/// An account's use of a code.
pub(crate) async fn one(
    executor: impl SqliteExecutor<'_>,
    hash: &CodeHash,
    account: &AccountId,
) -> Result<Option<CodeUse>, Fault> {
    let text = "select account, key, claimed_at, tries, refused, done_at from code_uses \
                where hash = ?1 and account = ?2";
    let row = of_use(text, hash, account).fetch_optional(executor).await?;
    row.as_ref().map(read).transpose()
}

/// A page of a code's uses.
pub(crate) async fn page(
    executor: impl SqliteExecutor<'_>,
    page: &CodeUsePage,
) -> Result<Vec<CodeUse>, Fault> {
    let text = "select account, key, claimed_at, tries, refused, done_at from code_uses \
                where hash = ?1 and account > ?2 order by account limit ?3";
    let after = page.after.as_ref().map(ToString::to_string);
    let statement = of_code(text, &page.hash).bind(after.unwrap_or_default());
    let rows = statement.bind(page.limit).fetch_all(executor).await?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<CodeUse, Fault> {
    let account: String = Reading::new(row, "code_uses", "").raw("account")?;
    let row = Reading::new(row, "code_uses", account);
    Ok(CodeUse {
        account: row.text("account")?,
        key: row.optional_text("key")?,
        claimed_at: row.instant("claimed_at")?,
        tries: row.small("tries")?,
        refused: row.small("refused")?,
        done_at: row.optional_instant("done_at")?,
    })
}
