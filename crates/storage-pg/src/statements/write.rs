//! `write`: one autocommitted statement. The first part decides which homes pass; everything else is written for
//! those, and they are returned.
//!
//! A home is known by its place in the batch, from 1 on; each row says to which it belongs. Where every home passed,
//! which is nearly always, nothing is looked up; written as a join, each row would be compared with each home.

use std::sync::LazyLock;

use super::Forms;
use crate::batch::WriteParameters;
use crate::{accounts, closed_balances, operations, outbox, reservations};

/// Writes a batch of what nearly all are made of: operations on homes that there are, and the accounts that they
/// change. Its parameters are those of `WriteParameters`, without the rest.
pub static WRITE_PLAIN: LazyLock<Forms> = LazyLock::new(|| Forms::of(&written(true)));

/// Writes a batch with everything that it can have.
pub static WRITE: LazyLock<Forms> = LazyLock::new(|| Forms::of(&written(false)));

fn written(is_plain: bool) -> String {
    let parameters = WriteParameters::new();
    let shards = parameters.homes.parameter("shard");
    let mut parts = vec![fresh(&parameters), accounts::MOVED.to_owned()];
    if is_plain {
        parts.push(passed(&parameters, "moved"));
    } else {
        parts.extend([accounts::MADE.to_owned(), passed(&parameters, "there")]);
    }
    parts.extend([
        operations::booked(parameters.operations, &has_passed("o"), &shards),
        accounts::charged(parameters.charged, &has_passed("m")),
    ]);
    if !is_plain {
        parts.extend([
            accounts::joined(parameters.joined, &has_passed("m"), &shards),
            reservations::held(parameters.reservations, &has_passed("r"), &shards),
            outbox::told(parameters.events, &has_passed("e")),
            closed_balances::closed(parameters.closed, &has_passed("c"), &shards),
        ]);
    }
    let parts = parts.join(", ");
    format!("with {parts} select p.places from passed p")
}

/// Homes that may pass: under the catalog and the lease that were decided with, and without an operation that carries
/// one of the keys that were not looked for.
fn fresh(parameters: &WriteParameters) -> String {
    let (names, rows) = (parameters.homes.names("h", &[]), parameters.homes.rows());
    let catalog = &parameters.catalog_version;
    let [name, owner, epoch] = &parameters.lease;
    let with_keys = operations::with_keys(parameters.unseen, &parameters.keys_within);
    format!(
        "fresh as (
    select {names}
    from ({rows}) h
    where {catalog}::bigint = coalesce((select max(c.version) from catalogs c), 0)
        and ({name}::text is null or exists (
            select 1 from leases l where l.name = {name} and l.owner = {owner}::text and l.epoch = {epoch}::bigint))
        and h.place not in (
            {with_keys})
)"
    )
}

/// Which homes passed, all at once, in the order of their places, with their lives.
fn passed(parameters: &WriteParameters, there: &str) -> String {
    let places = parameters.homes.parameter("place");
    format!(
        "passed as materialized (
    select count(*) = cardinality({places}) as every, coalesce(array_agg(t.place order by t.place), '{{}}') as places,
        coalesce(array_agg(t.life order by t.place), '{{}}') as lives
    from {there} t
)"
    )
}

/// Whether the home passed that a row belongs to.
fn has_passed(row: &str) -> String {
    format!(
        "((select p.every from passed p) or {row}.place = any((select p.places from passed p)::integer[]))"
    )
}

#[cfg(test)]
mod tests {
    use quota_core::ports::WriteBatch;
    use sqlx::{Arguments, Execute};

    use super::*;
    use crate::batch::WriteColumns;
    use crate::key_check::KeyCheck;
    use crate::statements::Layout;
    use crate::values::Instant;

    /// The highest number of a parameter in a statement.
    fn highest(statement: &str) -> usize {
        let numbers = statement.split('$').skip(1).filter_map(|after| {
            let end = after.find(|c: char| !c.is_ascii_digit());
            after.get(..end.unwrap_or(after.len()))?.parse().ok()
        });
        numbers.max().unwrap_or(0)
    }

    #[test]
    fn as_many_values_are_bound_as_the_statement_has_parameters() {
        let batch = WriteBatch {
            catalog_version: 1,
            keys_since: Instant::default(),
            lease: None,
            homes: Vec::new(),
        };
        let mut columns = WriteColumns::of(&batch, &[], KeyCheck::LookUp).expect("encodes");
        for forms in [&WRITE_PLAIN, &WRITE] {
            let mut bound = columns.bind(sqlx::query(""));
            let bound = bound.take_arguments().expect("encodes").expect("has some");
            assert_eq!(bound.len(), highest(forms.text(Layout::Whole)));
            // With a closed balance it is not plain any more.
            columns.closed.bucket.push("grant:a".to_owned());
        }
    }
}
