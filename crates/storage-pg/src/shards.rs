//! A batch on tables that are distributed: one statement for each shard that it touches, side by side. A home lies in one
//! shard, so it is still read in one snapshot and written whole. What was tried against one statement that takes every
//! shard: docs/OPERATING.md, "Citus".

use std::collections::BTreeMap;
use std::future::Future;

use futures::StreamExt;
use quota_core::ports::StoreError;

use crate::error::unavailable;
use crate::statements::{Forms, Layout};

/// Statements of one batch that run at once; each takes a connection.
const AT_ONCE_MAX: usize = 8;

/// The homes of a batch, or rows of any table, for each statement that takes some: all of them, or those of one shard.
pub(crate) fn by_shard<T>(
    rows: impl IntoIterator<Item = T>,
    layout: Layout,
    shard: impl Fn(&T) -> i16,
) -> Vec<(Option<i16>, Vec<T>)> {
    match layout {
        Layout::Whole => vec![(None, rows.into_iter().collect())],
        Layout::Distributed => {
            let mut shards: BTreeMap<i16, Vec<T>> = BTreeMap::new();
            for one in rows {
                shards.entry(shard(&one)).or_default().push(one);
            }
            if shards.is_empty() {
                // The catalog's version is asked for all the same.
                shards.insert(0, Vec::new());
            }
            let shards = shards.into_iter();
            shards.map(|(shard, rows)| (Some(shard), rows)).collect()
        }
    }
}

/// The text of a statement, for one shard or for all.
pub(crate) fn text(forms: &Forms, shard: Option<i16>) -> &str {
    forms.text(shard.map_or(Layout::Whole, |_| Layout::Distributed))
}

/// What became of all statements of a batch, in their order.
pub(crate) async fn all<T, R>(statements: Vec<R>) -> Vec<Result<T, StoreError>>
where
    R: Future<Output = Result<T, StoreError>>,
{
    let statements = futures::stream::iter(statements);
    statements.buffered(AT_ONCE_MAX).collect().await
}

/// What a write gave back as one. Where some of it took effect and some failed, the failure leaves open what did.
pub(crate) fn written<T>(outcomes: Vec<Result<Vec<T>, StoreError>>) -> Result<Vec<T>, StoreError> {
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(more) => passed.extend(more),
            Err(error) => failed.push(error),
        }
    }
    let is_open = |error: &StoreError| matches!(error, StoreError::Unavailable(_));
    let worst = failed.iter().position(is_open).unwrap_or(0);
    if failed.is_empty() {
        return Ok(passed);
    }
    let error = failed.swap_remove(worst);
    if passed.is_empty() || is_open(&error) {
        Err(error)
    } else {
        Err(unavailable(format!("a part of the batch failed: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use quota_core::ids::AccountId;

    use super::*;

    fn homes() -> Vec<AccountId> {
        let home = |number| AccountId::parse(&format!("user:{number}")).expect("an id");
        (0..100).map(home).collect()
    }

    #[test]
    fn a_batch_is_one_statement_and_on_citus_one_for_each_shard() {
        let homes = homes();
        let shard = |home: &&AccountId| i16::from(home.shard());
        let whole = by_shard(&homes, Layout::Whole, shard);
        assert!(matches!(whole.as_slice(), [(None, all)] if all.len() == 100));
        let split = by_shard(&homes, Layout::Distributed, shard);
        assert!(split.len() > 32, "{}", split.len());
        for (shard, part) in &split {
            assert!(
                part.iter()
                    .all(|home| Some(i16::from(home.shard())) == *shard)
            );
        }
        assert_eq!(split.iter().map(|(_, part)| part.len()).sum::<usize>(), 100);
    }

    #[test]
    fn a_write_that_failed_in_part_leaves_open_what_took_effect() {
        let refused = || StoreError::Refused {
            what: "overdrawn".to_owned(),
        };
        let lost = || unavailable("lost");
        assert!(matches!(written(vec![Ok(vec![1]), Ok(vec![2])]), Ok(passed) if passed == [1, 2]));
        let nothing = written::<u8>(vec![Err(refused()), Ok(Vec::new())]);
        assert!(matches!(nothing, Err(StoreError::Refused { .. })));
        for outcomes in [
            vec![Ok(vec![1]), Err(refused())],
            vec![Err(refused()), Err(lost())],
            vec![Ok(vec![1]), Err(StoreError::Unreachable("away".into()))],
        ] {
            let open = written(outcomes);
            assert!(matches!(open, Err(StoreError::Unavailable(_))), "{open:?}");
        }
    }
}
