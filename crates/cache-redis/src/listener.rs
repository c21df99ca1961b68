//! Listens to what the other nodes tell, and proves by beats that it hears.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_redis::redis::Msg;
use deadpool_redis::redis::aio::PubSub;
use deadpool_redis::redis::cmd;
use futures::{Stream, StreamExt};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::local::UNPROVED_MAX;
use crate::message::{self, Message};
use crate::shared::Shared;

/// Between two beats: several fit into the time that an entry is given without a proof.
const BEAT_EVERY: Duration = Duration::from_millis(250);
/// A subscription without a beat for this long is given up and made anew.
const SILENCE_MAX: Duration = Duration::from_secs(2);
/// Between two tries to subscribe.
const SUBSCRIBE_EVERY: Duration = Duration::from_millis(200);

const _: () = assert!(BEAT_EVERY.as_millis() * 3 < UNPROVED_MAX.as_millis());

/// Listens for ever. Between two subscriptions messages are lost, so the layer is dropped at both ends of the gap.
pub(crate) async fn listen(shared: Arc<Shared>) {
    let channels = [shared.keys.invalidate(), shared.keys.beat(shared.node)];
    loop {
        match shared.link.subscribe(&channels).await {
            Ok(listener) => {
                shared.local.drop_entries();
                hear(&shared, listener).await;
                shared.local.lose_proof();
                shared.local.drop_entries();
                tracing::debug!("the subscription to Redis ended");
            }
            Err(error) => tracing::debug!(%error, "no subscription to Redis"),
        }
        sleep(SUBSCRIBE_EVERY).await;
    }
}

/// Hears until the subscription ends or falls silent.
async fn hear(shared: &Shared, listener: PubSub) {
    let messages = listener.into_on_message();
    tokio::select! {
        () = take_in(shared, messages) => {}
        () = beat(shared) => {}
    }
}

async fn take_in(shared: &Shared, messages: impl Stream<Item = Msg>) {
    let beats = shared.keys.beat(shared.node);
    let mut messages = std::pin::pin!(messages);
    while let Some(message) = messages.next().await {
        let payload = message.get_payload_bytes();
        if message.get_channel_name() == beats {
            let sent = std::str::from_utf8(payload)
                .ok()
                .and_then(|text| text.parse().ok());
            shared.local.prove(sent.unwrap_or(0));
            continue;
        }
        match message::read(payload) {
            Message::Versions(homes) => {
                for (home, version) in homes {
                    shared.local.record(&home).raise(version);
                }
            }
            Message::Everything => shared.local.drop_entries(),
        }
    }
}

/// Tells itself beats; ends when none has come back for too long.
async fn beat(shared: &Shared) {
    let channel = shared.keys.beat(shared.node);
    let begun_at = Instant::now();
    let mut ticks = interval(BEAT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let heard_at = shared.local.proved_at().unwrap_or(begun_at).max(begun_at);
        if heard_at.elapsed() > SILENCE_MAX {
            return;
        }
        let mut publish = cmd("PUBLISH");
        publish.arg(&channel).arg(shared.local.beat_now());
        let told = shared
            .link
            .run(|mut to| async move { publish.query_async::<()>(&mut to).await });
        if let Err(error) = told.await {
            tracing::trace!(%error, "no beat");
        }
    }
}
