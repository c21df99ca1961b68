//! The table `call_turns`: turns that processes share where no Redis gives them. One statement takes one.

use std::time::Duration;

use async_trait::async_trait;
use quota_core::ports::{TURNS_MAX, Turns, TurnsError};

use crate::store::PgStore;

/// The next turn lies a second behind the one that was given `$2` turns before it, and not before the last one. What is over a
/// minute ahead is of a clock that was set back: it is forgotten. Whoever waits for the row gets the clock as it is then.
const TAKE: &str = "\
insert into call_turns (bucket, turns) values ($1, array[(extract(epoch from clock_timestamp()) * 1000000)::bigint])
on conflict (bucket) do update set turns = (
    select case when n.last > n.now + 60000000 then array[n.now]
        else (n.turns || greatest(n.now, n.last, n.turns[n.count - $2 + 1] + 1000000))[greatest(1, n.count - $3 + 2):] end
    from (select call_turns.turns, cardinality(call_turns.turns) as count,
        call_turns.turns[cardinality(call_turns.turns)] as last,
        (extract(epoch from clock_timestamp()) * 1000000)::bigint as now) n)
returning greatest(0, turns[cardinality(turns)] - (extract(epoch from clock_timestamp()) * 1000000)::bigint)";

#[async_trait]
impl Turns for PgStore {
    async fn take_turn(&self, bucket: &str, bound: u32) -> Result<Duration, TurnsError> {
        let bound = bound.clamp(1, TURNS_MAX);
        let wait: i64 = sqlx::query_scalar(TAKE)
            .bind(bucket)
            .bind(i32::try_from(bound).unwrap_or(1))
            .bind(i32::try_from(TURNS_MAX).unwrap_or(1))
            .fetch_one(&self.pool)
            .await
            .map_err(|error| TurnsError(Box::new(error)))?;
        Ok(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
    }
}
