//! The two forms of a statement over many homes. It is written once, for tables that are distributed by `shard`: there
//! every table names the one shard that the statement is about, `and a.shard = $shard`. On one server a batch holds homes
//! of any shard, and these conditions are left out.
//!
//! Such statements are written in the files of their tables: `accounts`, `operations`, `reservations`, `closed_balances` and
//! `provider_events`.
//! There the condition stands after another one and to the letter as here, ` and <table>.shard = $shard`: it is found by
//! its text. What a write inserts has its shard from a column instead.

/// How a condition on the shard ends; before it stand ` and ` and the name of the table.
const SHARD_CONDITION_END: &str = ".shard = $shard";

/// How the tables of a database are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// On one server.
    Whole,
    /// On several, by Citus.
    Distributed,
}

/// The texts of one statement.
#[derive(Debug)]
pub struct Forms {
    whole: String,
    distributed: String,
}

impl Forms {
    /// Makes both from the statement as it is written. The shard becomes its last parameter.
    pub(crate) fn of(written: &str) -> Self {
        let shard = format!("${}", parameters(written) + 1);
        Self {
            whole: without_shard(written),
            distributed: written.replace("$shard", &shard),
        }
    }

    /// The text for a layout.
    pub fn text(&self, layout: Layout) -> &str {
        match layout {
            Layout::Whole => &self.whole,
            Layout::Distributed => &self.distributed,
        }
    }
}

/// The highest number of a parameter.
fn parameters(written: &str) -> usize {
    let numbers = written.split('$').skip(1).filter_map(|after| {
        let end = after.find(|c: char| !c.is_ascii_digit());
        after.get(..end.unwrap_or(after.len()))?.parse().ok()
    });
    numbers.max().unwrap_or(0)
}

fn without_shard(written: &str) -> String {
    let mut pieces: Vec<&str> = written.split(SHARD_CONDITION_END).collect();
    let last = pieces.pop().unwrap_or_default();
    let before = |piece: &str| {
        let condition = piece.rfind(" and ").unwrap_or(piece.len());
        piece.get(..condition).unwrap_or_default().to_owned()
    };
    let kept: String = pieces.into_iter().map(before).collect();
    kept + last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_one_server_names_no_shard_and_one_of_citus_names_it_for_each_table() {
        let forms = Forms::of(
            "select from a join b on b.home = a.home and b.shard = $shard and b.id = $1
            where a.home = $12 and a.shard = $shard",
        );
        assert_eq!(
            forms.text(Layout::Whole),
            "select from a join b on b.home = a.home and b.id = $1
            where a.home = $12"
        );
        assert_eq!(
            forms.text(Layout::Distributed),
            "select from a join b on b.home = a.home and b.shard = $13 and b.id = $1
            where a.home = $12 and a.shard = $13"
        );
    }

    #[test]
    fn without_a_shard_both_forms_are_the_text_as_it_is_written() {
        let forms = Forms::of("select $1 and 2");
        for layout in [Layout::Whole, Layout::Distributed] {
            assert_eq!(forms.text(layout), "select $1 and 2");
        }
    }
}
