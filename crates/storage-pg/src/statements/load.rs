//! `load`: one statement, one snapshot, no lock.
//!
//! `offset 0` keeps a part of its own: it is then planned for one home, never for all of them.
//! Rows of several kinds come in one result, see [`crate::row_kind`].
//!
//! The parts are written in the files of their tables, and number their parameters by hand, in the order in which
//! `crate::load` binds them:
//!
//! | number | what | used by |
//! | --- | --- | --- |
//! | `$1`, `$2` | homes, accounts | `accounts::FOUND` |
//! | `$3` | now | `accounts::found_rows`, `reservations::DUE` |
//! | `$4` to `$6` | homes, accounts, keys | `operations::earlier_rows` |
//! | `$7` | since when keys count, and until when | `operations::earlier_rows` |
//! | `$8`, `$9` | homes, ids of reservations | `reservations::ASKED` |
//! | `$10`, `$11` | homes, ids of operations | `reservations::ASKED` |
//! | `$12` to `$15` | homes, accounts, first and end of a range of buckets | `closed_balances::asked_rows` |
//! | `$shard` | the shard, last, where tables are distributed | every table of a home |

use std::sync::LazyLock;

use super::Forms;
use crate::row_kind::{RowKind, arm};
use crate::{accounts, closed_balances, operations, reservations};

/// Reads homes for requests that refer to no earlier operation.
///
/// Parameters: homes and accounts; now; homes, accounts and keys, and since when keys count.
pub static LOAD: LazyLock<Forms> = LazyLock::new(|| {
    let parts = [accounts::FOUND, reservations::DUE];
    Forms::of(&statement(&parts, &always()))
});

/// Reads homes for requests that refer to reservations, operations or closed balances: those too, with the operations that
/// ended a reservation, earlier refunds, and balances that were closed since.
///
/// Parameters: those of [`LOAD`]; homes and ids of reservations; homes and ids of operations; homes, accounts, and
/// between which texts the buckets of closed balances lie.
pub static LOAD_REFERRED: LazyLock<Forms> = LazyLock::new(|| {
    let parts = [
        accounts::FOUND,
        reservations::DUE,
        reservations::ASKED,
        operations::REFERRED,
    ];
    let mut rows = always();
    rows.extend([
        reservations::asked_rows(),
        operations::referred_rows(),
        operations::refund_rows(),
        closed_balances::closed_rows(),
        closed_balances::asked_rows(),
    ]);
    Forms::of(&statement(&parts, &rows))
});

/// The version of the catalog; the accounts; earlier operations with the keys asked for; the reservations that are due,
/// with their accounts.
fn always() -> Vec<String> {
    let version = "coalesce((select max(c.version) from catalogs c), 0)";
    vec![
        arm(RowKind::Catalog, &[("number", version.to_owned())], ""),
        accounts::found_rows(),
        operations::earlier_rows(),
        accounts::holder_rows(),
        reservations::due_rows(),
    ]
}

fn statement(parts: &[&str], rows: &[String]) -> String {
    let (parts, rows) = (parts.join(", "), rows.join("\nunion all\n"));
    format!("with {parts}\n{rows}")
}
