//! The statements of the hot path, and those that several modules share; public so that tests can read and explain
//! them.

mod forms;
mod load;
mod write;

use std::sync::LazyLock;

pub use forms::{Forms, Layout};
pub use load::{LOAD, LOAD_REFERRED};
pub use write::{WRITE, WRITE_PLAIN};

/// Every statement over many homes that requests wait for, by name.
pub static HOT: [(&str, &LazyLock<Forms>); 4] = [
    ("load", &LOAD),
    ("load_referred", &LOAD_REFERRED),
    ("write", &WRITE),
    ("write_plain", &WRITE_PLAIN),
];

/// Makes the ledger's partitions for the month of `$1`, or of the database's clock, and the two months after it.
pub const MAKE_MONTHS: &str = "\
select operations_make_month(
    (date_trunc('month', coalesce($1::timestamptz, now()) at time zone 'UTC') + make_interval(months => ahead))
        at time zone 'UTC')
from generate_series(0, 2) as months (ahead)";

/// The version of the catalog in force.
pub const CATALOG_VERSION: &str = "select coalesce(max(version), 0) from catalogs";

/// Homes after `$1` with an operation at or after `$3`, at most `$2`. By time alone: it asks every shard.
pub const HOMES_SINCE: &str = "\
select o.home from operations o
join accounts a on a.home = o.home and a.shard = o.shard and a.account = o.home and a.life = o.life
where o.at >= $3 and o.home > $1
group by o.home order by o.home limit $2";
