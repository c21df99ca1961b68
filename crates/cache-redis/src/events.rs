//! Events for whoever listens, on a channel of each account.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deadpool_redis::redis::cmd;
use quota_core::event::Event;
use quota_core::ports::{EventSink, PublishError};

use crate::fault::Fault;
use crate::shared::Shared;
use crate::tasks::Tasks;

/// Tells events over Redis. Who does not listen at that moment misses them and sees it by their sequence.
#[derive(Clone)]
pub struct RedisEvents {
    shared: Arc<Shared>,
    /// Keeps the link alive.
    _tasks: Arc<Tasks>,
}

impl fmt::Debug for RedisEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisEvents").finish_non_exhaustive()
    }
}

impl RedisEvents {
    pub(crate) fn new(shared: Arc<Shared>, tasks: Arc<Tasks>) -> Self {
        Self {
            shared,
            _tasks: tasks,
        }
    }
}

#[async_trait]
impl EventSink for RedisEvents {
    async fn publish(&self, event: &Event) -> Result<(), PublishError> {
        let json = serde_json::to_vec(event).map_err(Fault::Unwritable)?;
        let mut publish = cmd("PUBLISH");
        let channel = self.shared.keys.events(&event.home, &event.account);
        publish.arg(channel).arg(json);
        let tell = |mut to| async move { publish.query_async::<()>(&mut to).await };
        Ok(self.shared.link.run(tell).await?)
    }
}
