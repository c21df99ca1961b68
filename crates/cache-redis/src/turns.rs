//! Turns that processes share, in a list of Redis.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use quota_core::ports::{TURNS_MAX, Turns, TurnsError};

use crate::shared::Shared;
use crate::tasks::Tasks;

/// The instants of the last turns are kept, the last one first, in microseconds of Redis' own clock. The next turn lies a second
/// behind the one that was given `bound` turns before it, and not before the last one. What is over a minute ahead is of a clock that
/// was set back: it is forgotten.
/// KEYS turns. ARGV bound, most turns that are kept.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('LINDEX', KEYS[1], 0) or 0)
if last > now + 60000000 then
  redis.call('DEL', KEYS[1])
  last = 0
end
local before = redis.call('LINDEX', KEYS[1], tonumber(ARGV[1]) - 1)
local turn = math.max(now, last)
if before then
  turn = math.max(turn, tonumber(before) + 1000000)
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', turn))
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil((turn - now) / 1000) + 2000)
return turn - now
";

/// Gives turns over Redis. They are forgotten two seconds after the last one.
#[derive(Clone)]
pub struct RedisTurns {
    shared: Arc<Shared>,
    script: Arc<Script>,
    /// Keeps the link alive.
    _tasks: Arc<Tasks>,
}

impl fmt::Debug for RedisTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTurns").finish_non_exhaustive()
    }
}

impl RedisTurns {
    pub(crate) fn new(shared: Arc<Shared>, tasks: Arc<Tasks>) -> Self {
        Self {
            shared,
            script: Arc::new(Script::new(TAKE)),
            _tasks: tasks,
        }
    }
}

#[async_trait]
impl Turns for RedisTurns {
    async fn take_turn(&self, bucket: &str, bound: u32) -> Result<Duration, TurnsError> {
        let mut call = self.script.prepare_invoke();
        call.key(self.shared.keys.turns(bucket))
            .arg(bound.clamp(1, TURNS_MAX))
            .arg(TURNS_MAX);
        let take = |mut to| async move { call.invoke_async::<u64>(&mut to).await };
        let wait = self.shared.link.run(take).await;
        wait.map(Duration::from_micros)
            .map_err(|fault| TurnsError(Box::new(fault)))
    }
}
