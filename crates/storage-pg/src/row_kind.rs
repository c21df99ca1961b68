//! The rows of `load`: several kinds in one result.

use quota_core::ports::StoreError;
use sqlx::postgres::PgRow;

use crate::error::corrupt;
use crate::values::Reading;

/// What a row is about, and which columns it fills beside `home`; the others are null.
///
/// | kind | columns |
/// | --- | --- |
/// | `Catalog` | `number`: the version; no `home` |
/// | `Account` | `account`, `number`: version, `at`: `hold_before`, `document`: terms, `books` |
/// | `Earlier`, `Referred`, `Refund` | an operation: all but `books`; `number`: its sequence, `document`: its entries |
/// | `Reservation` | `id`, `document`: the reservation |
/// | `Closed` | `account`, `id`: the operation that is referred to, `document`: the balance |
/// | `ClosedAsked` | `account`, `document`: the balance |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    Catalog,
    Account,
    Earlier,
    Reservation,
    Referred,
    Refund,
    Closed,
    ClosedAsked,
}

/// The columns that all kinds share. Each kind fills some.
const COLUMNS: [(&str, &str); 13] = [
    ("home", "text"),
    ("account", "text"),
    ("number", "bigint"),
    ("at", "timestamptz"),
    ("id", "uuid"),
    ("kind", "text"),
    ("key", "text"),
    ("body_hash", "bytea"),
    ("refers_to", "uuid"),
    ("document", "text"),
    ("books", "text"),
    ("answer", "text"),
    ("origin", "text"),
];

impl RowKind {
    /// The place of each is its number in the statement.
    const ALL: [Self; 8] = [
        Self::Catalog,
        Self::Account,
        Self::Earlier,
        Self::Reservation,
        Self::Referred,
        Self::Refund,
        Self::Closed,
        Self::ClosedAsked,
    ];

    fn number(self) -> usize {
        let found = Self::ALL.iter().position(|kind| *kind == self);
        debug_assert!(found.is_some(), "{self:?} has a number");
        found.unwrap_or(Self::ALL.len())
    }

    pub(crate) fn of(row: &PgRow) -> Result<Self, StoreError> {
        let number: i32 = Reading::new(row, "load", "?").get("row_kind")?;
        let known = usize::try_from(number).ok().and_then(|n| Self::ALL.get(n));
        known
            .copied()
            .ok_or_else(|| corrupt("load", number.to_string(), "unknown kind of row"))
    }
}

/// A part of the statement that gives rows of one kind: what it fills the columns with, and from where.
pub(crate) fn arm(kind: RowKind, filled: &[(&str, String)], from: &str) -> String {
    let known = |name: &str| COLUMNS.iter().any(|(column, _)| *column == name);
    debug_assert!(filled.iter().all(|(name, _)| known(name)), "{filled:?}");
    let values = COLUMNS.iter().map(|(name, stored)| {
        let value = filled.iter().find(|(column, _)| column == name);
        let value = value.map_or_else(|| format!("null::{stored}"), |(_, value)| value.clone());
        format!("{value} as {name}")
    });
    let values = values.collect::<Vec<String>>().join(", ");
    let number = kind.number();
    let from = if from.is_empty() {
        String::new()
    } else {
        format!("\nfrom {from}")
    };
    format!("select {number} as row_kind, {values}{from}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_row_has_a_number_of_its_own_and_all_the_columns() {
        for (number, kind) in RowKind::ALL.into_iter().enumerate() {
            let arm = arm(kind, &[("home", "h.home".to_owned())], "homes h");
            assert!(arm.starts_with(&format!("select {number} as row_kind, h.home as home, ")));
            assert_eq!(arm.matches(" as ").count(), COLUMNS.len() + 1, "{arm}");
            assert!(arm.ends_with("from homes h"), "{arm}");
        }
    }
}
