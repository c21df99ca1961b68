//! Rows as columns: a statement takes many rows as one array for each column.
//!
//! A table's columns are declared once, by [`columns!`]. What is bound, in which order, and how the statement numbers and
//! unpacks its parameters all come from that list.

use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

/// A statement with its values still to be bound.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Rows as columns.
pub(crate) trait Columns {
    /// Name and type of each, in the order in which they are bound.
    const COLUMNS: &'static [(&'static str, &'static str)];

    /// Binds them.
    fn bind<'q>(&'q self, statement: Statement<'q>) -> Statement<'q>;
}

/// Declares columns: a struct with a vector for each, and the type that it has in the database.
macro_rules! columns {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident<$life:lifetime> {
            $($(#[$why:meta])* $column:ident: $type:ty => $stored:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        $vis struct $name<$life> { $($(#[$why])* pub(crate) $column: Vec<$type>,)+ }

        impl $crate::columns::Columns for $name<'_> {
            const COLUMNS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($column), $stored)),+];

            fn bind<'q>(
                &'q self,
                statement: $crate::columns::Statement<'q>,
            ) -> $crate::columns::Statement<'q> {
                statement$(.bind(&self.$column))+
            }
        }
    };
}
pub(crate) use columns;

/// Numbers the parameters of a statement, in the order in which they are bound.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    count: usize,
}

/// Where in a statement some columns are bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    first: usize,
    columns: &'static [(&'static str, &'static str)],
}

impl Parameters {
    /// The next parameter.
    pub(crate) fn value(&mut self) -> String {
        self.count += 1;
        format!("${}", self.count)
    }

    /// The next parameters, for columns.
    pub(crate) fn columns<C: Columns>(&mut self) -> Bound {
        let first = self.count + 1;
        self.count += C::COLUMNS.len();
        Bound {
            first,
            columns: C::COLUMNS,
        }
    }
}

impl Bound {
    /// A query that gives the rows. The columns are unpacked side by side: a function in `from` would first be stored
    /// whole.
    pub(crate) fn rows(&self) -> String {
        format!("select {} offset 0", self.unpacked())
    }

    /// The columns, to be selected.
    pub(crate) fn unpacked(&self) -> String {
        let columns = (self.first..).zip(self.columns);
        let unpacked =
            columns.map(|(n, (name, stored))| format!("unnest(${n}::{stored}[]) as {name}"));
        unpacked.collect::<Vec<String>>().join(", ")
    }

    /// A whole column as a parameter.
    pub(crate) fn parameter(&self, name: &str) -> String {
        let mut columns = (self.first..).zip(self.columns);
        let found = columns.find(|(_, (column, _))| *column == name);
        debug_assert!(found.is_some(), "there is a column `{name}`");
        found.map_or_else(String::new, |(n, (_, stored))| {
            format!("(${n}::{stored}[])")
        })
    }

    /// The names of all columns but some, as those of `row`, or alone.
    pub(crate) fn names(&self, row: &str, left_out: &[&str]) -> String {
        let dot = if row.is_empty() { "" } else { "." };
        let kept = self
            .columns
            .iter()
            .filter(|(name, _)| !left_out.contains(name));
        let names = kept.map(|(name, _)| format!("{row}{dot}{name}"));
        names.collect::<Vec<String>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Arguments, Execute};

    use super::*;

    columns! {
        struct Pairs<'b> {
            name: &'b str => "text",
            count: i64 => "bigint",
        }
    }

    #[test]
    fn parameters_are_numbered_in_the_order_in_which_they_are_bound() {
        let mut parameters = Parameters::default();
        assert_eq!(parameters.value(), "$1");
        let pairs = parameters.columns::<Pairs<'_>>();
        assert_eq!(parameters.value(), "$4");
        assert_eq!(
            pairs.rows(),
            "select unnest($2::text[]) as name, unnest($3::bigint[]) as count offset 0"
        );
        assert_eq!(pairs.parameter("count"), "($3::bigint[])");
        assert_eq!(pairs.names("p", &[]), "p.name, p.count");
        assert_eq!(pairs.names("", &["name"]), "count");
        let rows = Pairs {
            name: vec!["a"],
            count: vec![1],
        };
        let bound = rows.bind(sqlx::query("")).take_arguments();
        let bound = bound.expect("encodes").expect("has some");
        assert_eq!(bound.len(), Pairs::COLUMNS.len());
    }
}
